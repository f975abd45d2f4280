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
	// together is the size up to which a changed frame is written in one piece, or kept to be written with the next one.
	together = 4 << 10
	// mostKept is how much is kept at most.
	mostKept = 16 << 10
)

// writer writes frames to a connection, one at a time.
type writer struct {
	conn net.Conn

	mu    sync.Mutex
	armed time.Time // when the deadline was last set
	last  time.Time // when something was last written
	head  []byte
	kept  []byte // frames that go out with the next one
	parts net.Buffers
	both  [2][]byte
}

// frame writes a frame with its changes. Bodies go out from where they lie, but for little frames that come together: such are kept, and written
// with the last of them, as a call of the system costs more than all else. Whoever reads them flushes when no more are there.
func (w *writer) frame(f *wire.Frame) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm()
	if little := len(f.Bytes()) <= together; little && (f.More || len(w.kept) > 0) {
		w.kept = append(f.AppendHead(w.kept), f.Body...)
		if f.More && len(w.kept) < mostKept {
			return nil
		}
		return w.flushed()
	}
	if err := w.flushed(); err != nil {
		return err
	}
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

// flush writes what was kept.
func (w *writer) flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.flushed()
}

func (w *writer) flushed() error {
	if len(w.kept) == 0 {
		return nil
	}
	_, err := w.conn.Write(w.kept)
	w.kept = w.kept[:0]
	return err
}

// bytes writes a whole frame.
func (w *writer) bytes(b []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.arm()
	if err := w.flushed(); err != nil {
		return err
	}
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
