package connections

import (
	"net"
	"sync/atomic"
	"time"
)

// idleTimeout is after how long without a byte a connection counts as dead, as with brokers
// (serverChannelMaxIdleTimeSeconds).
const idleTimeout = 150 * time.Second

// Watched is a connection that counts as dead when nothing comes.
type Watched struct {
	net.Conn
	armed time.Time
	Begun *atomic.Bool
}

// Read reads, until nothing has come for idleTimeout.
func (w *Watched) Read(b []byte) (int, error) {
	w.arm()
	n, err := w.Conn.Read(b)
	w.Begun.Store(n > 0)
	return n, err
}

// arm moves the deadline on, not at each read: that would cost as much.
func (w *Watched) arm() {
	if now := time.Now(); now.Sub(w.armed) > idleTimeout/8 {
		w.armed = now
		_ = w.SetReadDeadline(now.Add(idleTimeout))
	}
}
