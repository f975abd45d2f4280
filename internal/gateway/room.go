package gateway

import (
	"cmp"
	"sync/atomic"

	"rocketshift/internal/gateway/memory"
)

const (
	// mostViews is how many views are made for what clients ask about: 10,000 groups that read 100 queues each. Clients may invent groups without end,
	// and brokers let them.
	mostViews = 1 << 20
	// longestGroup is how long a group's name may be (CHARACTER_MAX_LENGTH of Validators, 4.9.7).
	longestGroup = 255
	// perView is what a view takes, in bytes, with a group of its own (BenchmarkInvented).
	perView = 550
)

// room is what is left for views.
type room struct {
	most   int64 // 0 means mostViews
	made   atomic.Int64
	budget *memory.Budget // that views are counted in
	lacks  atomic.Bool    // it has lacked once: pulls are under way that no view knows of
	said   rarely
}

// counts takes note of one more view.
func (r *room) counts() {
	r.made.Add(1)
	r.budget.Fix(perView)
}

func (r *room) left() bool { return r.made.Load() < cmp.Or(r.most, mostViews) }

// asked is the view of a queue that a client asks about for a group; nil if there is no room for another one. Without a view a request passes to the
// source as it is, which is right for groups that haven't moved.
func (g *groups) asked(name []byte, q *queue) *view {
	if one, known := g.known(name); known {
		if v := one.known(q); v != nil {
			return v
		}
	}
	switch {
	case len(name) > longestGroup:
		return nil
	case !g.room.left():
		g.room.lacks.Store(true)
		return nil
	}
	return g.get(name).of(q)
}

// mayFollow refuses to move a group to the target of which pulls may be under way that no view knows of. Callers have made its views before.
func (g *groups) mayFollow(name string, to side) error {
	switch {
	case to == source:
		return nil
	case len(name) > longestGroup:
		return refused("the name of group %.40s… has %d characters, more than the %d that RocketMQ's clients allow", name, len(name), longestGroup)
	case g.room.lacks.Load():
		return refused("clients have asked about more groups and queues (%d) than there is room for, so that some requests weren't looked into: find the client that invents groups, start the gateway anew, and move again", g.room.made.Load())
	}
	return nil
}
