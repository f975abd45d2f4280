package routing

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Table is which queues there are, on which side their messages are stored, from which
// side groups read them, and which side says who a group's members are.
type Table struct {
	Topics        topics
	Groups        groups
	decided       sync.Mutex    // held while an outcome is applied, and while all is read to be saved
	authoritySide atomic.Uint32 // the side that is the authority
	judging       sync.RWMutex  // held while that changes, until the change is on disk
	away          atomic.Int64  // queues, views and the authority that aren't at the source
}

// NewTable makes a table of nothing: all is on the source.
func NewTable() Table {
	return Table{Topics: topics{byName: map[string]*Topic{}}, Groups: groups{byName: map[string]*Group{}}}
}

// Authority is that side.
func (rt *Table) Authority() Side { return Side(rt.authoritySide.Load()) }

// Settled is the authority that clients are told by: one that is on disk. A lock that was given by
// a side that a restart doesn't know as the authority would be given twice.
func (rt *Table) Settled() Side {
	rt.judging.RLock()
	defer rt.judging.RUnlock()
	return rt.Authority()
}

// AuthorityOf is the authority for one group: the source goes on for groups that weren't moved, as
// they are no part of the migration.
func (rt *Table) AuthorityOf(name []byte) Side {
	if rt.Settled() == Source {
		return Source
	}
	if one, known := rt.Groups.Known(name); known && !one.ReadsOn(Target) {
		return Source
	}
	return Target
}

// Away is how many homes and views, and the authority, aren't at the source.
func (rt *Table) Away() int64 { return rt.away.Load() }

// AnythingOnTarget reports whether any of them is.
func (rt *Table) AnythingOnTarget() bool { return rt.Away() > 0 }

// Decides is held while an outcome is applied, and while all is read to be saved: all of an outcome
// is there, or nothing. Callers call done afterwards.
func (rt *Table) Decides() (done func()) {
	rt.decided.Lock()
	return rt.decided.Unlock
}

// AuthorityChanges is held while the authority changes, until that is on disk: who asks for it
// meanwhile waits. Callers call done afterwards.
func (rt *Table) AuthorityChanges() (done func()) {
	rt.judging.Lock()
	return rt.judging.Unlock
}

// MoveHome moves a queue's home.
func (rt *Table) MoveHome(q *Queue, home Side, shift int64) {
	before := q.SetHome(home, shift)
	rt.away.Add(int64(home) - int64(before))
}

// MoveView makes a view stand as it was decided.
func (rt *Table) MoveView(v *View, to ViewState) {
	before := v.Set(to)
	rt.away.Add(int64(to.Side) - int64(before))
}

// MoveAuthority makes a side the authority.
func (rt *Table) MoveAuthority(to Side) {
	before := Side(rt.authoritySide.Swap(uint32(to)))
	rt.away.Add(int64(to) - int64(before))
}

// LearnLanes takes over lanes that this gateway hasn't seen yet. What it has seen itself counts
// more.
func (rt *Table) LearnLanes(lanes []lane.Lane) {
	for i := range lanes {
		lane := &lanes[i]
		rt.QueueFor(lane.Topic, lane.Source.Broker, lane.Source.ID).learnLane(lane)
	}
}

// QueueFor is a queue of the source, which is made if the gateway hasn't seen it yet.
func (rt *Table) QueueFor(name, broker string, id int) *Queue {
	t := rt.Topics.Ensure(name)
	t.Ensure(broker, id+1)
	return t.Queue([]byte(broker), int64(id))
}

// InUse reports whether a queue's home or a group has been on the target, so that offsets are
// shifted by its lane.
func (rt *Table) InUse(q *Queue) bool {
	if q.At() == Target {
		return true
	}
	return slices.ContainsFunc(rt.Groups.All(), func(one *Group) bool {
		v := one.Known(q)
		return v != nil && v.Reads() == Target
	})
}

// Unseen says which retries members behind gateways don't see once their group is on the target; ""
// if they see all.
func (rt *Table) Unseen(group string, to Side) string {
	t := rt.Topics.Get([]byte(rocketmq.RetryTopic(group)))
	if t == nil || to == Source || t.Beyond.Load() <= 0 {
		return ""
	}
	return fmt.Sprintf(
		"group %s: members behind gateways don't see %d queues of %s on the target, where retries may wait "+
			"until the source has as many",
		group,
		t.Beyond.Load(),
		t.Name,
	)
}

// PairOf is the queue of the source of which a queue of the target is the pair; nil if none is.
func (rt *Table) PairOf(topic string, there lane.Queue) *Queue {
	t := rt.Topics.Get([]byte(topic))
	if t == nil {
		return nil
	}
	for _, q := range t.All() {
		if lane := q.Lane(); lane != nil && lane.Target == there {
			return q
		}
	}
	return nil
}

// HeldQueue is the queue that a member means, by the names of the source or of the target.
func (rt *Table) HeldQueue(held rocketmq.ProcessQueueInfo, bySource bool) *Queue {
	if !bySource {
		return rt.PairOf(held.Topic, lane.Queue{Broker: held.Broker, ID: held.Queue})
	}
	if t := rt.Topics.Get([]byte(held.Topic)); t != nil {
		return t.Queue([]byte(held.Broker), int64(held.Queue))
	}
	return nil
}

// OnePerBroker are queues of a topic on the target, one on each of its brokers.
func (rt *Table) OnePerBroker(name string) (all []lane.Queue) {
	t := rt.Topics.Get([]byte(name))
	if t == nil {
		return nil
	}
	for _, q := range t.All() {
		l := q.Lane()
		if l != nil && !slices.ContainsFunc(all, func(o lane.Queue) bool { return o.Broker == l.Target.Broker }) {
			all = append(all, l.Target)
		}
	}
	return all
}

// Says are the queues that a member says it holds locked, as far as its group reads them and they
// have a lane; of the others the locks are the source's.
func (rt *Table) Says(group string, info rocketmq.RunningInfo) (all []*Queue) {
	one, known := rt.Groups.Known([]byte(group))
	if !known {
		return nil
	}
	for _, held := range info.Queues {
		q := rt.HeldQueue(held, true)
		if q == nil || !held.Locked || held.Dropped || q.Lane() == nil {
			continue
		}
		if v := one.Known(q); v != nil && v.Reads() == Target {
			all = append(all, q)
		}
	}
	return all
}
