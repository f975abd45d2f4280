package replicatest

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// ErrSlave is what a slave answers to sends.
var ErrSlave = &remoting.Error{Code: remoting.ServiceNotAvailable, Remark: "it is a slave"}

// Side is a side in memory. It has one queue per topic and Queue, made when it is first written to.
type Side struct {
	mu      sync.Mutex
	cluster string
	queues  map[Queue]*Log
	Groups  map[string]bool
	Events  int // pulls outside of a queue, for which a broker writes an event message
	Sends   int
	Pulls   int
	Pulled  int // messages that pulls brought
	Slave   bool
	Passes  int // calls of passSends

	// OnSend may refuse a batch: stored says whether the broker keeps it all the same.
	OnSend  func(n int, batch rocketmq.BatchRequest) (stored bool, err error)
	OnPull  func(offset int64) error
	Slow    func()         // is called before a pull or a send, without the lock: it may take its time
	Hidden  map[int64]bool // offsets that pulls leave out
	Unshown int64          // so many of a queue's last messages aren't shown yet; what was shown stays shown
	// Late are sends that the broker received and hasn't taken up: it does so before any send that
	// it receives after them.
	Late  []rocketmq.BatchRequest
	Down  error // answers everything
	Limit int   // most bytes of a batch, 0 if it doesn't say
	// NoBatches: it takes messages that are sent alone.
	NoBatches bool
	// Untold: it doesn't say that it takes none, nor did; upgraded: it took none before.
	Untold, Upgraded bool
	Says             map[string]string // of how it is
	Brief            bool              // it lists no ends, as brokers before 5.x of queues that producers don't see
}

// Queue is a queue of a topic.
type Queue struct {
	Topic string
	lane.Queue
}

// Log is the messages [first, first+len) of a queue.
type Log struct {
	First     int64
	Shown     int64 // the end that was last said
	Messages  []remoting.Message
	Positions map[string]int64
	Holder    string
	LockedAt  time.Time
	arrived   chan struct{} // closed when something arrives
}

// End is the position after the last message.
func (l *Log) End() int64 { return l.First + int64(len(l.Messages)) }

// show returns the end of what is shown while the last messages aren't.
func (l *Log) show(unshown int64) int64 {
	l.Shown = max(l.Shown, l.First, l.End()-unshown)
	return l.Shown
}

// NewSide is a side without queues; the cluster is what its messages name.
func NewSide(cluster string) *Side {
	return &Side{cluster: cluster, queues: map[Queue]*Log{}, Groups: map[string]bool{}}
}

// Log is a queue's messages, made if there is no such queue. Callers hold the lock, as in Set.
func (f *Side) Log(topic string, q lane.Queue) *Log {
	key := Queue{topic, q}
	if f.queues[key] == nil {
		f.queues[key] = &Log{Positions: map[string]int64{}, arrived: make(chan struct{})}
	}
	return f.queues[key]
}

// Append stores messages and returns the offset of the first one.
func (f *Side) Append(topic string, q lane.Queue, messages ...remoting.Message) (first int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.AppendLocked(topic, q, messages...)
}

// AppendLocked is Append for callers that hold the lock.
func (f *Side) AppendLocked(topic string, q lane.Queue, messages ...remoting.Message) (first int64) {
	log := f.Log(topic, q)
	first = log.End()
	for _, m := range messages {
		m.Topic, m.Queue, m.QueueOffset = topic, q.ID, log.End()
		log.Messages = append(log.Messages, m)
	}
	close(log.arrived)
	log.arrived = make(chan struct{})
	return first
}

// Expire removes everything before the offset.
func (f *Side) Expire(topic string, q lane.Queue, offset int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.Log(topic, q)
	log.Messages = log.Messages[offset-log.First:]
	log.First = offset
}

// Empty makes the queue anew.
func (f *Side) Empty(topic string, q lane.Queue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.queues, Queue{topic, q})
}

// All is a copy of what the queue holds.
func (f *Side) All(topic string, q lane.Queue) []remoting.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.Log(topic, q).Messages)
}

// Set changes the side while nobody calls it.
func (f *Side) Set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// Hide is for a side at rest: the last messages are as they were before they were shown.
func (f *Side) Hide(unshown int64) {
	f.Set(func() {
		f.Unshown = unshown
		for _, log := range f.queues {
			log.Shown = 0
		}
	})
}

// Original is the message that a test writes at an offset, with that many of each born time.
func Original(offset int64, sameBorn int) remoting.Message {
	return remoting.Message{
		Body: fmt.Appendf(nil, "body %d", offset),
		Flag: int32(offset % 7), BornTimestamp: 1_700_000_000_000 + offset/int64(sameBorn),
		Properties: []byte(fmt.Sprintf("KEYS\x01k%d\x02TAGS\x01a", offset)),
	}
}
