package gateway

import (
	"bytes"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
)

// greeting is what a client says of itself: a heartbeat, or that it leaves. It counts when a broker
// of the source has taken it: who may not be a member there isn't one here, nor on the target.
type greeting struct {
	leaves    bool
	beat      bodies.Heartbeat
	accessKey string // that it signs with
	raw       []byte // the whole frame
	cost      int    // bytes that all of it takes, until it is forgotten
}

// registeredAs is who a session's client is, by its last heartbeat that a broker has taken.
type registeredAs struct {
	client        string              // its id
	identity      string              // its id with its groups
	accessKey     string              // that it signs with
	beat          []byte              // the heartbeat, as a frame
	reads         []bodies.Membership // what that says
	writes        []string            // and its producer groups
	subscriptions bodies.Subscriptions
}

func (g *greeting) registers() registeredAs {
	return registeredAs{
		client: g.beat.Client, identity: g.identity(), accessKey: g.accessKey, beat: g.raw,
		reads: g.beat.Reads, writes: g.beat.Writes, subscriptions: g.beat.Subscriptions,
	}
}

// forgotten gives back what a call has taken that counts for nothing: it isn't answered, or with a
// refusal.
func (s *session) forgotten(c call) {
	if c.rare == nil {
		return
	}
	if c.rare.greets != nil {
		s.memory.Give(c.rare.greets.cost)
	}
	if c.rare.reply != nil {
		s.memory.Give(c.rare.reply.cost)
	}
}

// identity tells clients apart, those that sign with other keys among them: everybody with a key
// may say that it is any client with any producer group, and must not take the place of the real
// one on the target.
func (g *greeting) identity() string {
	is := g.beat.Identity()
	if is == "" || g.accessKey == "" {
		return is
	}
	return g.accessKey + "\n" + is
}

// counts reports whether something is learned from the answer to a call, also to one whose client
// wants none.
func (c call) counts() bool { return c.rare != nil || c.commits }

// learn takes over what a call has said, now that a broker has taken it.
func (s *session) learn(c call) {
	switch {
	case c.commits && c.view != nil:
		c.view.Taken(c.commit, c.side)
	case c.rare != nil && c.rare.reply != nil:
		s.memory.Give(c.rare.reply.cost)
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
	again := s.says(g)
	s.registeredAs = g.registers()
	kept := s.beatCost
	s.beatCost = g.cost
	changed := before != s.identity
	if !again {
		s.noteBeat()
	}
	s.mu.Unlock()
	s.memory.Give(kept)
	if !again {
		s.gateway.changed.now()
	}
	if changed { // it goes by another name now, or does something else
		s.gateway.registry.mirrors.free(s)
	}
	s.mirrorBeat()
}

// staysKnown brings a heartbeat to the target that the source's broker can't be reached with, if it
// says what a broker has taken before: a source that is dead must not make the target, where groups
// read, strike their members off after two minutes.
func (s *session) staysKnown(c call) {
	if c.rare == nil || c.rare.greets == nil || c.rare.greets.leaves {
		return
	}
	s.mu.Lock()
	again := s.says(c.rare.greets)
	s.mu.Unlock()
	if again {
		s.mirrorBeat()
	}
}

// says reports whether a heartbeat is the same as the session's last one. Callers hold s.mu.
func (s *session) says(g *greeting) bool {
	return s.accessKey == g.accessKey && bytes.Equal(wire.BodyOf(s.beat), wire.BodyOf(g.raw))
}

// left makes the target forget a client that leaves the source.
func (s *session) left(g *greeting) {
	s.mu.Lock()
	identity := s.identity
	s.mu.Unlock()
	for _, other := range s.gateway.registry.all() { // until its next heartbeat nobody speaks for it
		other.mu.Lock()
		if other.identity == identity {
			other.memory.Give(other.beatCost)
			other.beat, other.beatCost = nil, 0
			other.noteBeat()
		}
		other.mu.Unlock()
	}
	l := leave{g, s.gateway.registry.mirrors.of(s)}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaves = append(s.leaves, l); len(s.leaves) == 1 {
		s.inBackground(s.bringLeaves)
	}
}

// leave is that a client leaves, for the target brokers that know it.
type leave struct {
	greeting *greeting
	to       []routing.Dest
}

// bringLeaves brings to the target that the client leaves, one after the other: an application
// leaves with one request for each of its groups.
func (s *session) bringLeaves() {
	for {
		s.mu.Lock()
		l := s.leaves[0]
		s.mu.Unlock()
		for _, to := range l.to {
			s.mirror(to, l.greeting.raw)
		}
		s.memory.Give(l.greeting.cost)
		s.mu.Lock()
		s.leaves = s.leaves[1:]
		left := len(s.leaves)
		s.mu.Unlock()
		if left == 0 {
			return
		}
	}
}

// mirrored is whether a session's heartbeat is on its way to the target. There is one at a time: a
// target that stands still must not keep one for each that comes.
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
			s.gateway.registry.mirrors.beat(s, identity, beat)
			s.mu.Lock()
			more = s.mirrored.again
			s.mirrored.busy, s.mirrored.again = more, false
			s.mu.Unlock()
		}
	})
}
