package gateway

import (
	"errors"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/wire"
)

// Who asks for more than there is room for, or goes while it comes, loses that answer alone. The
// connection to the broker goes on: the answers to sends that come behind it say what is stored,
// which moves of homes wait for. Else a client could lose sends when it likes, and keep homes where
// they are.

// dropped goes on behind a frame that was thrown away; false if the error is another one.
func (u *upstream) dropped(f *wire.Frame, err error) bool {
	var is *wire.DroppedError
	if !errors.As(err, &is) {
		return false
	}
	s := u.session
	if !errors.Is(err, memory.ErrEvicted) && !s.isClosed() && u.session.gateway.figures.said.dropped.Due(u.dest) {
		u.session.gateway.log.Warn("there was no room for what a server sent: its client goes without", "client",
			s.conn.RemoteAddr().String(), "side", u.dest.Side.String(), "broker", u.dest.Broker, "cause", err)
	}
	if is.Long { // a client that doesn't read mustn't keep its memory from others
		_ = connections.Bare(s.conn).Close()
	}
	if !f.Response() {
		return true
	}
	c, there := s.peek(f.Opaque, u)
	switch {
	case !there:
	case is.Whole, sends(c.code):
		if u.answer(f) != nil {
			_ = s.conn.Close()
		}
	default:
		if c, there = s.take(f.Opaque, u); there {
			s.forgotten(c)
			s.giveUp(c, "there is no room for the answer: "+err.Error())
		}
	}
	return true
}
