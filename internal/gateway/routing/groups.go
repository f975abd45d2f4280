package routing

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// groups are the consumer groups that were seen.
type groups struct {
	mu     sync.RWMutex
	byName map[string]*Group
	Room   viewQuota
}

// Get is the group of that name, which is made when it is first asked for.
func (g *groups) Get(name []byte) *Group {
	now := time.Now().UnixNano()
	g.mu.RLock()
	one := g.byName[string(name)]
	if one != nil {
		one.asked.Store(now) // so that it isn't forgotten before it has a view
	}
	g.mu.RUnlock()
	if one != nil {
		return one
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if one = g.byName[string(name)]; one == nil {
		one = &Group{Name: string(name), views: map[*Queue]*View{}, quota: &g.Room}
		g.byName[one.Name] = one
	}
	one.asked.Store(now)
	return one
}

// Known is the group of that name, if it was seen.
func (g *groups) Known(name []byte) (one *Group, is bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	one, is = g.byName[string(name)]
	return one, is
}

// All are the groups, by name.
func (g *groups) All() []*Group {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make([]*Group, 0, len(g.byName))
	for _, name := range SortedKeys(g.byName) {
		all = append(all, g.byName[name])
	}
	return all
}

// Group is a consumer group with its views.
type Group struct {
	Name string

	mu    sync.RWMutex
	views map[*Queue]*View
	quota *viewQuota
	asked atomic.Int64 // when it was asked for last, in nanoseconds of Unix
}

// Known is the group's view of a queue, if there is one.
func (g *Group) Known(q *Queue) *View {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.views[q]
}

// Of is the group's view of a queue, made when it is first asked for.
func (g *Group) Of(q *Queue) *View {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.views[q]
	if v == nil {
		v = &View{Group: g.Name, Queue: q, next: -1, kept: -1, claimed: -1}
		g.views[q] = v
		g.quota.counts(1)
	}
	v.mu.Lock()
	v.usedAt = time.Now()
	v.mu.Unlock()
	return v
}

// All are the group's views.
func (g *Group) All() []*View {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make([]*View, 0, len(g.views))
	for _, v := range g.views {
		all = append(all, v)
	}
	return all
}

// ReadsOn reports whether the group reads any queue from a side.
func (g *Group) ReadsOn(on Side) bool {
	return slices.ContainsFunc(g.All(), func(v *View) bool { return v.Reads() == on })
}
