package gateway

import (
	"cmp"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

const (
	// mostViews is how many views are made for what clients ask about: 10,000 groups that read 100
	// queues each. Clients may invent groups without end, and brokers let them.
	mostViews = 1 << 20

	// perView is what a view takes, in bytes, with a group of its own whose name is as long as may
	// be (BenchmarkInvented).
	perView = 800
	// idleView is for how long nobody has asked about a queue for a group whose view goes for
	// others: longer than brokers let a pull wait.
	idleView = 5 * time.Minute
	// mostWanted is how many calls a connection may have open and still have views wanted for more.
	mostWanted = 4096
)

// viewQuota is what is left for views.
type viewQuota struct {
	most   int64 // 0 means mostViews
	made   atomic.Int64
	budget *memory.Budget // that views are counted in
	said   logs.Rarely
}

// counts takes note of so many more views, or less.
func (r *viewQuota) counts(n int64) {
	r.made.Add(n)
	r.budget.Fix(n * perView)
}

func (r *viewQuota) left() bool { return r.made.Load() < cmp.Or(r.most, mostViews) }

// scarce reports whether views that nobody needs have to go.
func (r *viewQuota) scarce() bool { return r.made.Load() > cmp.Or(r.most, mostViews)/2 }

// wanted is a view that isn't there yet. It is made when a broker has taken a request of the group
// about the queue: who may not ask takes no room from others.
type wanted struct {
	group string
	queue *queue
}

// of is the wanted view; nil if it isn't there.
func (g *groups) of(w wanted) *view {
	if one, known := g.known([]byte(w.group)); known {
		return one.known(w.queue)
	}
	return nil
}

// asked is the view of a queue that a client has asked about for a group, as a broker has let it;
// nil if there is no room for another one.
func (g *groups) asked(name []byte, q *queue) *view {
	if v := g.of(wanted{string(name), q}); v != nil {
		return v
	}
	if len(name) > bodies.LongestGroup || !g.room.left() {
		return nil
	}
	return g.get(name).of(q)
}

// mayFollow refuses to move a group to the target for which no view is made.
func (g *groups) mayFollow(name string, to routing.Side) error {
	if to == routing.Source || len(name) <= bodies.LongestGroup {
		return nil
	}
	return control.Refused("the name of group %.40s… has %d characters, more than the %d that RocketMQ's clients allow",
		name, len(name), bodies.LongestGroup)
}

// passNew sends a request to the source for which the group has no view of the queue yet.
func (s *session) passNew(f *wire.Frame, w *wanted, c call) {
	c.rare = &rareCall{wants: w}
	s.forward(f, s.port.Dest, c)
	v := s.gateway.table.groups.of(*w)
	if v == nil || !isPull(c.code) {
		return
	}
	v.mu.Lock()
	moves := v.moving || v.side != routing.Source
	v.mu.Unlock()
	if moves { // whoever moves the group may have looked for its pulls before this one was there
		s.owe(0, nil, s.takeAll(func(c call) bool { return c.rare != nil && c.rare.wants == w })...)
	}
}

// makes makes the view that an answered call wants, if a broker has taken the request; nil if there
// is none.
func (s *session) makes(f *wire.Frame, c call) *view {
	w := c.rare.wants
	switch {
	case isPull(c.code) && !pullTaken(f.Code):
		return nil
	case !isPull(c.code) && f.Code != remoting.Success && f.Code != remoting.QueryNotFound:
		return nil
	}
	v := s.gateway.table.groups.asked([]byte(w.group), w.queue)
	if v == nil {
		s.gateway.admission.bounds.views.Add(1)
	}
	if v == nil && s.gateway.table.groups.room.said.Due() {
		s.gateway.log.Error("there is no room for what a group reads: clients ask about too many groups. If it "+
			"moves meanwhile, it goes by its committed positions, and may read a little twice", "client",
			s.conn.RemoteAddr().String(), "group", w.group, "views", s.gateway.table.groups.room.made.Load())
	}
	return v
}

// forgetViews makes room: views go that nobody has asked about for long, and that say nothing which
// brokers don't know.
func (g *Gateway) forgetViews() {
	if !g.table.groups.room.scarce() {
		return
	}
	busy := map[*view]bool{}
	for _, s := range g.registry.all() {
		s.mu.Lock()
		for _, c := range s.open {
			if c.view != nil {
				busy[c.view] = true
			}
		}
		s.mu.Unlock()
	}
	g.table.groups.forget(busy)
}

// forget forgets idle views, but those that calls are open about.
func (g *groups) forget(busy map[*view]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, one := range g.byName {
		one.mu.Lock()
		for q, v := range one.views {
			if !busy[v] && v.forget() {
				delete(one.views, q)
				g.room.counts(-1)
			}
		}
		if len(one.views) == 0 && time.Since(time.Unix(0, one.asked.Load())) > idleView {
			delete(g.byName, name)
		}
		one.mu.Unlock()
	}
}

// forget lets nobody use the view any more, unless it is needed. A commit at the source of a group
// that never moved is with the broker, where a move looks for it, and one that was refused, or lost
// with its connection, is nowhere.
func (v *view) forget() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	moved := v.moving || v.side != routing.Source || v.shift != [2]int64{}
	needed := moved || v.owed || len(v.parked) > 0
	v.gone = v.gone || !needed && time.Since(v.usedAt) > idleView
	return v.gone
}
