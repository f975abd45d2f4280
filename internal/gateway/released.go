package gateway

import (
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// Release takes requests up in their order. A fault of the gateway ends their client's
// connection, and the rest of them.
func (s *session) Release(all []routing.Parked, past *routing.Hold) {
	n := 0
	defer func() {
		for _, p := range all[n:] {
			s.counted(past)
			s.memory.Give(p.Cost())
		}
	}()
	defer s.recovered(func() int { return all[n-1].Code() })
	for _, p := range all {
		n++
		s.release(p, past)
	}
}

// counted takes note that a request waits no more.
func (s *session) counted(past *routing.Hold) {
	if past != nil {
		s.gateway.figures.counts.HeldSends.Add(-1)
	} else {
		s.gateway.figures.counts.HeldPulls.Add(-1)
	}
}

// release takes a request up that has waited in a hold, or for a group's move.
func (s *session) release(p routing.Parked, past *routing.Hold) {
	var f wire.Frame
	defer s.memory.Give(p.Cost())
	s.counted(past)
	switch {
	case p.Parse(&f) != nil:
	case !sends(f.Code):
		s.handle(&f)
	case p.Late():
		s.refuse(&f, remoting.ServiceNotAvailable, "it waited too long while its queue's home moved: send it again")
	default:
		s.send(&f, past)
	}
}

// Reserve takes memory for a request that waits.
func (s *session) Reserve(bytes int) bool { return s.memory.Try(bytes) }

// Crowded takes note that a request can't wait.
func (s *session) Crowded() { s.gateway.admission.bounds.parked.Add(1) }

// Waits takes note that a request waits: in a hold, or for a group's move.
func (s *session) Waits(held bool) {
	if held {
		s.gateway.figures.counts.HeldSends.Add(1)
	} else {
		s.gateway.figures.counts.HeldPulls.Add(1)
	}
}

// Flush writes what came before.
func (s *session) Flush() { s.flush() }

// InBackground runs what nobody waits for.
func (s *session) InBackground(what func()) { s.inBackground(what) }
