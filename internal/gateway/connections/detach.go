package connections

import (
	"context"
	"errors"
	"net"
	"os"
	"time"

	"rocketshift/internal/gateway/wire"
)

// A connection to a server can pass from one session to another: of a client that comes back after
// the gateway's restart, to its new connection. Its reader stops between two calls of Read, and
// what was read and not used passes with it.

// detachPause is between two attempts to stop a reader: it may just have set its deadline anew.
const detachPause = 5 * time.Millisecond

// Stopping is how a connection's reader is stopped so that another one goes on.
type Stopping struct {
	asked chan struct{} // closed when it is to stop
	Ended chan struct{} // closed when it has ended
	rest  []byte        // what it had read and not used
	Whole bool          // the connection can go on
}

// NewStopping is of a connection that goes on.
func NewStopping() *Stopping {
	return &Stopping{asked: make(chan struct{}), Ended: make(chan struct{})}
}

// is reports whether the reader is to stop.
func (s *Stopping) is() bool {
	select {
	case <-s.asked:
		return true
	default:
		return false
	}
}

// At is called where a read has failed; it reports whether the reader was stopped.
func (s *Stopping) At(err error, in *wire.Reader) bool {
	if !s.is() || in.Dropping() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.rest, s.Whole = in.Rest(), true
	return true
}

// Stop stops the reader of a connection. It reports whether the connection can go on: not if it has
// ended, or if its reader does something else until the context ends.
func (s *Stopping) Stop(ctx context.Context, conn net.Conn) (rest []byte, whole bool) {
	close(s.asked)
	for {
		_ = conn.SetReadDeadline(time.Now())
		select {
		case <-s.Ended:
			_ = conn.SetReadDeadline(time.Time{})
			return s.rest, s.Whole
		case <-ctx.Done():
			return nil, false
		case <-time.After(detachPause):
		}
	}
}
