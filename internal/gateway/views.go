package gateway

import (
	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// passNew sends a request to the source for which the group has no view of the queue yet.
func (s *session) passNew(f *wire.Frame, w *routing.Wanted, c call) {
	c.rare = &rareCall{wants: w}
	s.forward(f, s.port.Dest, c)
	v := s.gateway.table.Groups.Of(*w)
	if v == nil || !isPull(c.code) {
		return
	}
	if v.Elsewhere() { // whoever moves the group may have looked for its pulls before this one was there
		s.owe(0, nil, s.takeAll(func(c call) bool { return c.rare != nil && c.rare.wants == w })...)
	}
}

// makes makes the view that an answered call wants, if a broker has taken the request; nil if there
// is none.
func (s *session) makes(f *wire.Frame, c call) *routing.View {
	w := c.rare.wants
	switch {
	case isPull(c.code) && !routing.PullTaken(f.Code):
		return nil
	case !isPull(c.code) && f.Code != remoting.Success && f.Code != remoting.QueryNotFound:
		return nil
	}
	v := s.gateway.table.Groups.Asked([]byte(w.Group), w.Queue)
	if v == nil {
		s.gateway.admission.bounds.views.Add(1)
	}
	if v == nil && s.gateway.table.Groups.Room.Said.Due() {
		s.gateway.log.Error("there is no room for what a group reads: clients ask about too many groups. If it "+
			"moves meanwhile, it goes by its committed positions, and may read a little twice", "client",
			s.conn.RemoteAddr().String(), "group", w.Group, "views", s.gateway.table.Groups.Room.Made.Load())
	}
	return v
}

// forgetViews makes room: views go that nobody has asked about for long, and that say nothing which
// brokers don't know.
func (ss *sessions) forgetViews() {
	if !ss.table.Groups.Room.Scarce() {
		return
	}
	ss.table.Groups.Forget(ss.busyViews())
}

// busyViews are those that calls are open about.
func (ss *sessions) busyViews() map[*routing.View]bool {
	busy := map[*routing.View]bool{}
	for _, s := range ss.registry.all() {
		s.mu.Lock()
		for _, c := range s.open {
			if c.view != nil {
				busy[c.view] = true
			}
		}
		s.mu.Unlock()
	}
	return busy
}

// queueOf is the queue that a request is about; nil if the gateway doesn't know it.
func (s *session) queueOf(f *wire.Frame, topicKey, queueKey string) *routing.Queue {
	t := s.gateway.table.Topics.Get(f.Text(topicKey))
	if t == nil {
		return nil
	}
	id, ok := f.Number(queueKey)
	if !ok {
		return nil
	}
	return t.Queue(s.port.broker, id)
}

// picksNoQueue reports whether a send leaves it to the broker to which queue of a topic it goes,
// and the gateway looks into the topic. For negative numbers brokers pick a queue at random
// (4.9.7).
func (s *session) picksNoQueue(f *wire.Frame, topicKey, queueKey string) bool {
	t := s.gateway.table.Topics.Get(f.Text(topicKey))
	id, given := f.Number(queueKey)
	return (!given || id < 0) && t != nil && len(t.All()) > 0
}

// viewOf is the group's view of the queue that a request is about, or the one that is to be made.
// There is neither if the gateway doesn't know the queue, or if no group of that name can be.
func (s *session) viewOf(f *wire.Frame) (*routing.View, *routing.Wanted) {
	q := s.queueOf(f, "topic", "queueId")
	if q == nil {
		return nil, nil
	}
	name := f.Text("consumerGroup")
	if one, known := s.gateway.table.Groups.Known(name); known {
		if v := one.Known(q); v != nil {
			return v, nil
		}
	}
	if len(name) > bodies.LongestGroup {
		s.gateway.admission.bounds.views.Add(1)
		return nil, nil
	}
	s.mu.Lock()
	many := len(s.open) > routing.MostWanted
	s.mu.Unlock()
	if many {
		return nil, nil
	}
	return nil, &routing.Wanted{Group: string(name), Queue: q}
}
