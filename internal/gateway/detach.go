package gateway

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

// stopping is how a connection's reader is stopped so that another one goes on.
type stopping struct {
	asked chan struct{} // closed when it is to stop
	ended chan struct{} // closed when it has ended
	rest  []byte        // what it had read and not used
	whole bool          // the connection can go on
}

func newStopping() *stopping {
	return &stopping{asked: make(chan struct{}), ended: make(chan struct{})}
}

// is reports whether the reader is to stop.
func (s *stopping) is() bool {
	select {
	case <-s.asked:
		return true
	default:
		return false
	}
}

// at is called where a read has failed; it reports whether the reader was stopped.
func (s *stopping) at(err error, in *wire.Reader) bool {
	if !s.is() || in.Dropping() || !errors.Is(err, os.ErrDeadlineExceeded) {
		return false
	}
	s.rest, s.whole = in.Rest(), true
	return true
}

// stop stops the reader of a connection. It reports whether the connection can go on: not if it has
// ended, or if its reader does something else until the context ends.
func (s *stopping) stop(ctx context.Context, conn net.Conn) (rest []byte, whole bool) {
	close(s.asked)
	for {
		_ = conn.SetReadDeadline(time.Now())
		select {
		case <-s.ended:
			_ = conn.SetReadDeadline(time.Time{})
			return s.rest, s.whole
		case <-ctx.Done():
			return nil, false
		case <-time.After(detachPause):
		}
	}
}
