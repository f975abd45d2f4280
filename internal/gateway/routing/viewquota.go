package routing

import (
	"cmp"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/memory"
)

const (
	// MostViews is how many views are made for what clients ask about: 10,000 groups that read 100
	// queues each. Clients may invent groups without end, and brokers let them.
	MostViews = 1 << 20

	// PerView is what a view takes, in bytes, with a group of its own whose name is as long as may
	// be (BenchmarkInvented).
	PerView = 800
	// idleView is for how long nobody has asked about a queue for a group whose view goes for
	// others: longer than brokers let a pull wait.
	idleView = 5 * time.Minute
	// MostWanted is how many calls a connection may have open and still have views wanted for more.
	MostWanted = 4096
)

// viewQuota is what is left for views.
type viewQuota struct {
	Most   int64 // 0 means mostViews
	Made   atomic.Int64
	Budget *memory.Budget // that views are counted in
	Said   logs.Rarely
}

// counts takes note of so many more views, or less.
func (r *viewQuota) counts(n int64) {
	r.Made.Add(n)
	r.Budget.Fix(n * PerView)
}

func (r *viewQuota) left() bool { return r.Made.Load() < cmp.Or(r.Most, MostViews) }

// Scarce reports whether views that nobody needs have to go.
func (r *viewQuota) Scarce() bool { return r.Made.Load() > cmp.Or(r.Most, MostViews)/2 }

// Wanted is a view that isn't there yet. It is made when a broker has taken a request of the group
// about the queue: who may not ask takes no room from others.
type Wanted struct {
	Group string
	Queue *Queue
}

// Of is the wanted view; nil if it isn't there.
func (g *groups) Of(w Wanted) *View {
	if one, known := g.Known([]byte(w.Group)); known {
		return one.Known(w.Queue)
	}
	return nil
}

// Asked is the view of a queue that a client has asked about for a group, as a broker has let it;
// nil if there is no room for another one.
func (g *groups) Asked(name []byte, q *Queue) *View {
	if v := g.Of(Wanted{string(name), q}); v != nil {
		return v
	}
	if len(name) > bodies.LongestGroup || !g.Room.left() {
		return nil
	}
	return g.Get(name).Of(q)
}

// MayFollow refuses to move a group to the target for which no view is made.
func (g *groups) MayFollow(name string, to Side) error {
	if to == Source || len(name) <= bodies.LongestGroup {
		return nil
	}
	return control.Refused("the name of group %.40s… has %d characters, more than the %d that RocketMQ's clients allow",
		name, len(name), bodies.LongestGroup)
}

// Forget forgets idle views, but those that calls are open about.
func (g *groups) Forget(busy map[*View]bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for name, one := range g.byName {
		one.mu.Lock()
		for q, v := range one.views {
			if !busy[v] && v.forget() {
				delete(one.views, q)
				g.Room.counts(-1)
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
func (v *View) forget() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	moved := v.moving || v.side != Source || v.shift != [2]int64{}
	needed := moved || v.owed || len(v.parked) > 0
	v.gone = v.gone || !needed && time.Since(v.usedAt) > idleView
	return v.gone
}
