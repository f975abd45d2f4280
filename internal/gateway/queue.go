package gateway

import (
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/replicator/lane"
)

// routingTable is which queues there are, on which side their messages are stored, from which
// side groups read them, and which side says who a group's members are.
type routingTable struct {
	topics        topics
	groups        groups
	decided       sync.Mutex    // held while an outcome is applied, and while all is read to be saved
	authoritySide atomic.Uint32 // the side that is the authority
	judging       sync.RWMutex  // held while that changes, until the change is on disk
	away          atomic.Int64  // queues, views and the authority that aren't at the source
}

func newRoutingTable() routingTable {
	return routingTable{topics: topics{byName: map[string]*topic{}}, groups: groups{byName: map[string]*group{}}}
}

// topic is a topic that the source has.
type topic struct {
	name  string
	since time.Time // when the gateway learned of it: sends before aren't known

	beyond atomic.Int64 // how many queues more the target has
	vast   atomic.Int64 // how many queues the source has, if these are too many
	of     *topics

	mu      sync.RWMutex
	queues  map[string][]*queue // by source broker
	problem string              // why its queues have no lanes

	kinds sentKinds // of what producers send to its queues
}

// queue is one queue of the source, with its replica on the target.
type queue struct {
	topic  string
	broker string // of the source
	id     int
	kinds  *sentKinds // of its topic

	lane  atomic.Pointer[lane.Lane] // nil while there is none
	home  atomic.Uint32             // a side
	shift atomic.Int64              // target offset minus source offset where the home last moved
	hold  atomic.Pointer[hold]      // sends wait there while its home moves
	acked [2]atomic.Int64           // behind the highest acknowledged offset of each side

	looked [2]atomic.Int64 // behind the end up to which it was looked for messages past the gateways; 0: never
}

// name is what the control API calls it.
func (q *queue) name() control.TopicQueue {
	return control.TopicQueue{Topic: q.topic, Queue: lane.Queue{Broker: q.broker, ID: q.id}}
}

func (q *queue) at() routing.Side { return routing.Side(q.home.Load()) }

// acknowledged takes note of where a message was stored.
func (q *queue) acknowledged(on routing.Side, offset int64) {
	for after := offset + 1; ; {
		before := q.acked[on].Load()
		if after <= before || q.acked[on].CompareAndSwap(before, after) {
			return
		}
	}
}

// queue is the queue of that number on a broker of the source; nil if there is none.
func (t *topic) queue(broker []byte, id int64) *queue {
	t.mu.RLock()
	defer t.mu.RUnlock()
	queues := t.queues[string(broker)]
	if id < 0 || id >= int64(len(queues)) {
		return nil
	}
	return queues[id]
}

// all are the topic's queues, broker by broker.
func (t *topic) all() (all []*queue) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, broker := range sortedKeys(t.queues) {
		all = append(all, t.queues[broker]...)
	}
	return all
}

// ensure makes the queues that the topic lacks, up to n on a broker. Queues never go: clients may
// still hold them.
func (t *topic) ensure(broker string, n int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	before := len(t.queues[broker])
	for id := before; id < n; id++ {
		t.queues[broker] = append(t.queues[broker], &queue{topic: t.name, broker: broker, id: id, kinds: &t.kinds})
	}
	t.of.counts(max(0, n-before))
}

// lacks reports whether a broker is away that has a queue of the topic, or the other end of its
// lane. The queues that are left would be paired with others than theirs.
func (t *topic) lacks(registered [2]map[string]bool) bool {
	for _, q := range t.all() {
		lane := q.lane.Load()
		if !registered[routing.Source][q.broker] || lane != nil && !registered[routing.Target][lane.Target.Broker] {
			return true
		}
	}
	return false
}

func (t *topic) reason() string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.problem
}
