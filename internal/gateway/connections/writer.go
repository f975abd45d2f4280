package connections

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/keeper"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/socket"
)

// writeTimeout bounds how long a peer may not read. Others of its session wait meanwhile.
const writeTimeout = 30 * time.Second

// Writer writes frames to a connection, one at a time. Frames go out from where they lie: only
// headers with changes are copied.
type Writer struct {
	Conn net.Conn

	Mu    sync.Mutex
	armed time.Time // when the deadline was last set
	Last  time.Time // when something was last written
	heads []byte    // headers with their changes
	kept  [][]byte  // pieces of frames that go out with the next one
	parts net.Buffers

	Track   *keeper.Track // of the connection; nil if it isn't kept
	answers []int32       // numbers of the calls that what is kept answers

	begun atomic.Int64 // when the write began that is under way, behind processBegin; 0: none is
}

// processBegin is a moment from which times are counted that go through atomics.
var processBegin = time.Now()

// Blocked is for how long the other end doesn't take what is being written.
func (w *Writer) Blocked() time.Duration {
	begun := w.begun.Load()
	if begun == 0 {
		return 0
	}
	return time.Since(processBegin) - time.Duration(begun)
}

// Frame writes a frame with its changes. One that came together with others is kept, and written
// with the last of them: a call of the system costs more than all else. Whoever reads such frames
// flushes behind the last one, before the memory that they lie in is used again.
func (w *Writer) Frame(f *wire.Frame) error {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	w.arm()
	if f.Changed() {
		begin := len(w.heads)
		w.heads = f.AppendHead(w.heads)
		w.kept = append(w.kept, w.heads[begin:])
		if len(f.Body) > 0 {
			w.kept = append(w.kept, f.Body)
		}
	} else {
		w.kept = append(w.kept, f.Bytes())
	}
	if w.Track != nil && f.Response() {
		w.answers = append(w.answers, f.OpaqueNow())
	}
	if f.More {
		return nil
	}
	return w.flushed()
}

// Bytes writes a whole frame, which answers the calls with these numbers.
func (w *Writer) Bytes(b []byte, answers ...int32) error {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	if w.Track != nil {
		w.answers = append(w.answers, answers...)
	}
	w.arm()
	w.kept = append(w.kept, b)
	return w.flushed()
}

// Flush writes what was kept.
func (w *Writer) Flush() error {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	return w.flushed()
}

func (w *Writer) flushed() (err error) {
	if len(w.kept) == 0 {
		return nil
	}
	w.begun.Store(int64(w.Last.Sub(processBegin)))
	defer w.begun.Store(0)
	size := 0
	for _, one := range w.kept {
		size += len(one)
	}
	switch len(w.kept) {
	case 1:
		_, err = w.Conn.Write(w.kept[0])
	default:
		w.parts = w.kept
		err = socket.WriteAll(w.Conn, &w.parts)
	}
	if err == nil {
		w.Track.Wrote(size, w.answers)
	} else {
		w.Track.Failed()
	}
	w.answers = w.answers[:0]
	clear(w.kept)
	w.kept, w.heads, w.parts = w.kept[:0], w.heads[:0], nil
	if cap(w.heads) > mostHeads || cap(w.kept) > mostPieces {
		w.kept, w.heads = nil, nil
	}
	return err
}

// What a writer keeps for the next frames: a usual header takes 400 bytes, and sixteen of them come
// together at most times.
const (
	mostHeads  = 8 << 10 // bytes
	mostPieces = 256
)

// arm moves the deadline on, not at each write: that costs as much as a small write.
func (w *Writer) arm() {
	w.Last = time.Now()
	if w.Last.Sub(w.armed) > writeTimeout/4 {
		w.armed = w.Last
		_ = w.Conn.SetWriteDeadline(w.Last.Add(writeTimeout))
	}
}

// Idle is how long nothing was written.
func (w *Writer) Idle() time.Duration {
	w.Mu.Lock()
	defer w.Mu.Unlock()
	return time.Since(w.Last)
}
