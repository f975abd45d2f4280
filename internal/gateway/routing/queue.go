package routing

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Topic is a topic that the source has.
type Topic struct {
	Name  string
	Since time.Time // when the gateway learned of it: sends before aren't known

	Beyond atomic.Int64 // how many queues more the target has
	Vast   atomic.Int64 // how many queues the source has, if these are too many
	of     *topics

	mu      sync.RWMutex
	queues  map[string][]*Queue // by source broker
	problem string              // why its queues have no lanes

	kinds SentKinds // of what producers send to its queues
}

// Queue is one queue of the source, with its replica on the target.
type Queue struct {
	Topic  string
	Broker string // of the source
	ID     int
	Kinds  *SentKinds // of its topic

	pair  atomic.Pointer[lane.Lane] // nil while there is none
	side  atomic.Uint32             // its home
	moved atomic.Int64              // target offset minus source offset where the home last moved
	holds atomic.Pointer[Hold]      // sends wait there while its home moves
	acked [2]atomic.Int64           // behind the highest acknowledged offset of each side

	looked [2]atomic.Int64 // behind the end up to which it was looked for messages past the gateways; 0: never
}

// Name is what the control API calls it.
func (q *Queue) Name() control.TopicQueue {
	return control.TopicQueue{Topic: q.Topic, Queue: lane.Queue{Broker: q.Broker, ID: q.ID}}
}

// At is the side of its home.
func (q *Queue) At() Side { return Side(q.side.Load()) }

// Shift is target offset minus source offset where the home last moved.
func (q *Queue) Shift() int64 { return q.moved.Load() }

// SetHome moves the queue's home, and says where it was before.
func (q *Queue) SetHome(home Side, shift int64) (before Side) {
	q.moved.Store(shift)
	return Side(q.side.Swap(uint32(home)))
}

// Lane is the queue's lane; nil while there is none.
func (q *Queue) Lane() *lane.Lane { return q.pair.Load() }

// SetLane gives the queue a lane, or takes it away: nil.
func (q *Queue) SetLane(l *lane.Lane) { q.pair.Store(l) }

// Hold is what sends to the queue wait in; nil while they go.
func (q *Queue) Hold() *Hold { return q.holds.Load() }

// Held makes sends to the queue wait in a hold; false if they wait in one already.
func (q *Queue) Held(by *Hold) bool { return q.holds.CompareAndSwap(nil, by) }

// Freed ends that sends wait in a hold, if it is the queue's.
func (q *Queue) Freed(from *Hold) { q.holds.CompareAndSwap(from, nil) }

// HeldInstead puts a hold in place of the one that there is.
func (q *Queue) HeldInstead(by *Hold) { q.holds.Store(by) }

// Acked is behind the highest acknowledged offset of a side.
func (q *Queue) Acked(on Side) int64 { return q.acked[on].Load() }

// Looked takes note of the end up to which a side was looked at for messages past the gateways. It
// returns the one of before; -1 if it never was.
func (q *Queue) Looked(on Side, end int64) int64 { return q.looked[on].Swap(end+1) - 1 }

// Acknowledged takes note of where a message was stored.
func (q *Queue) Acknowledged(on Side, offset int64) {
	for after := offset + 1; ; {
		before := q.acked[on].Load()
		if after <= before || q.acked[on].CompareAndSwap(before, after) {
			return
		}
	}
}

// Queue is the queue of that number on a broker of the source; nil if there is none.
func (t *Topic) Queue(broker []byte, id int64) *Queue {
	t.mu.RLock()
	defer t.mu.RUnlock()
	queues := t.queues[string(broker)]
	if id < 0 || id >= int64(len(queues)) {
		return nil
	}
	return queues[id]
}

// All are the topic's queues, broker by broker.
func (t *Topic) All() (all []*Queue) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, broker := range SortedKeys(t.queues) {
		all = append(all, t.queues[broker]...)
	}
	return all
}

// Ensure makes the queues that the topic lacks, up to n on a broker. Queues never go: clients may
// still hold them.
func (t *Topic) Ensure(broker string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.queues[broker])
	for id := before; id < n; id++ {
		t.queues[broker] = append(t.queues[broker], &Queue{Topic: t.Name, Broker: broker, ID: id, Kinds: &t.kinds})
	}
	t.of.counts(max(0, n-before))
}

// Lacks reports whether a broker is away that has a queue of the topic, or the other end of its
// lane. The queues that are left would be paired with others than theirs.
func (t *Topic) Lacks(registered [2]map[string]bool) bool {
	for _, q := range t.All() {
		lane := q.pair.Load()
		if !registered[Source][q.Broker] || lane != nil && !registered[Target][lane.Target.Broker] {
			return true
		}
	}
	return false
}

// Reason is why the queues of the topic have no lanes; "" if they have.
func (t *Topic) Reason() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.problem
}

// at is where a queue's replica on a side is.
func (q *Queue) On(s Side) (lane.Queue, error) {
	l := q.pair.Load()
	switch {
	case s == Source:
		return lane.Queue{Broker: q.Broker, ID: q.ID}, nil
	case l == nil:
		return lane.Queue{}, fmt.Errorf("queue %s has no lane to the target", q)
	}
	return l.Target, nil
}

func (q *Queue) String() string {
	return fmt.Sprintf("%s of topic %s", lane.Queue{Broker: q.Broker, ID: q.ID}, q.Topic)
}

// Retries reports whether it is a queue of a group's retry topic: a broker stores a message that
// comes there once more than the group retries as a dead letter, and answers with its place in that
// topic (SendMessageProcessor.handleRetryAndDLQ).
func (q *Queue) Retries() bool { return strings.HasPrefix(q.Topic, rocketmq.RetryTopic("")) }

// Lies reports whether a broker has the queue, or its replica.
func (q *Queue) Lies(at Dest) bool {
	if at.Side == Source {
		return q.Broker == at.Broker
	}
	lane := q.pair.Load()
	return lane != nil && lane.Target.Broker == at.Broker
}

// learnLane gives the queue a lane if it has none.
func (q *Queue) learnLane(l *lane.Lane) { q.pair.CompareAndSwap(nil, l) }
