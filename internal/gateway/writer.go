package gateway

import (
	"net"
	"sync"
	"time"

	"rocketshift/internal/gateway/wire"
)

const (
	// writeTimeout bounds how long a peer may not read. Others of its session wait meanwhile.
	writeTimeout = 30 * time.Second
	// together is the size up to which a changed frame is written in one piece.
	together = 4 << 10
)

// writer writes frames to a connection, one at a time.
type writer struct {
	conn net.Conn

	mu    sync.Mutex
	armed time.Time // when the deadline was last set
	last  time.Time // when something was last written
	head  []byte
	parts net.Buffers
	both  [2][]byte
}

// frame writes a frame with its changes. Bodies go out from where they lie.
func (w *writer) frame(f *wire.Frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm()
	if !f.Changed() {
		_, err := w.conn.Write(f.Bytes())
		return err
	}
	w.head = f.AppendHead(w.head[:0])
	if len(f.Body) <= together {
		w.head = append(w.head, f.Body...)
		_, err := w.conn.Write(w.head)
		return err
	}
	w.both = [2][]byte{w.head, f.Body}
	w.parts = w.both[:]
	_, err := w.parts.WriteTo(w.conn)
	return err
}

// bytes writes a whole frame.
func (w *writer) bytes(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm()
	_, err := w.conn.Write(b)
	return err
}

// arm moves the deadline on, not at each write: that costs as much as a small write.
func (w *writer) arm() {
	w.last = time.Now()
	if w.last.Sub(w.armed) > writeTimeout/4 {
		w.armed = w.last
		_ = w.conn.SetWriteDeadline(w.last.Add(writeTimeout))
	}
}

// idle is how long nothing was written.
func (w *writer) idle() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return time.Since(w.last)
}
