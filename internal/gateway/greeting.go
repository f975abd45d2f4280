package gateway

import (
	"bytes"

	"rocketshift/internal/gateway/wire"
)

// greeting is what a client says of itself: a heartbeat, or that it leaves. It counts when a broker of the source has taken it: who may
// not be a member there isn't one here, nor on the target.
type greeting struct {
	leaves    bool
	beat      beat
	accessKey string // that it signs with
	raw       []byte // the whole frame
}

// identity tells clients apart, those that sign with other keys among them: everybody with a key may
// say that it is any client with any producer group, and must not take the place of the real one on
// the target.
func (g *greeting) identity() string {
	is := g.beat.identity()
	if is == "" || g.accessKey == "" {
		return is
	}
	return g.accessKey + "\n" + is
}

// counts reports whether something is learned from the answer to a call, also to one whose client wants none.
func (c call) counts() bool { return c.rare != nil || c.commits }

// learn takes over what a call has said, now that a broker has taken it.
func (s *session) learn(c call) {
	switch {
	case c.commits && c.view != nil:
		c.view.mu.Lock()
		defer c.view.mu.Unlock()
		c.view.takes(c)
	case c.rare == nil || c.rare.greets == nil:
	case c.rare.greets.leaves:
		s.left(c.rare.greets)
	default:
		s.greets(c.rare.greets)
	}
}

// greets makes the client of a heartbeat the session's, and known on the target.
func (s *session) greets(g *greeting) {
	s.mu.Lock()
	before := s.identity
	again := s.accessKey == g.accessKey && bytes.Equal(wire.BodyOf(s.beat), wire.BodyOf(g.raw))
	s.client, s.identity, s.beat, s.accessKey, s.reads, s.writes = g.beat.client, g.identity(), g.raw, g.accessKey, g.beat.reads, g.beat.writes
	changed := before != s.identity
	s.mu.Unlock()
	if !again {
		s.changed.now()
	}
	if changed { // it goes by another name now, or does something else
		s.mirrors.free(s)
	}
	s.mirrorBeat()
}

// left makes the target forget a client that leaves the source.
func (s *session) left(g *greeting) {
	s.mu.Lock()
	identity := s.identity
	s.mu.Unlock()
	for _, other := range s.all() { // until its next heartbeat nobody speaks for it
		other.mu.Lock()
		if other.identity == identity {
			other.beat = nil
		}
		other.mu.Unlock()
	}
	for _, to := range s.mirrors.of(s) {
		s.inBackground(func() { s.mirror(to, g.raw) })
	}
}

// mirrored is whether a session's heartbeat is on its way to the target. There is one at a time: a target that stands still must not
// keep one for each that comes.
type mirrored struct{ busy, again bool }

// mirrorBeat brings the session's last heartbeat to the target.
func (s *session) mirrorBeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.mirrored.again = s.mirrored.busy; s.mirrored.busy {
		return
	}
	s.mirrored.busy = true
	s.inBackground(func() {
		for more := true; more; {
			s.mu.Lock()
			identity, beat := s.identity, s.beat
			s.mu.Unlock()
			s.mirrors.beat(s, identity, beat)
			s.mu.Lock()
			more = s.mirrored.again
			s.mirrored.busy, s.mirrored.again = more, false
			s.mu.Unlock()
		}
	})
}
