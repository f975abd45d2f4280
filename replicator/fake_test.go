package replicator

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
)

// errSlave is what a slave answers to sends.
var errSlave = &rocketmq.Error{Code: rocketmq.ServiceNotAvailable, Remark: "it is a slave"}

// fakeSide is a side in memory. It has one queue per topic and Queue, made when it is first written to.
type fakeSide struct {
	mu      sync.Mutex
	cluster string
	queues  map[fakeQueue]*fakeLog
	groups  map[string]bool
	events  int // pulls outside of a queue, for which a broker writes an event message
	sends   int
	pulls   int
	pulled  int // messages that pulls brought
	slave   bool
	passes  int // calls of passSends

	// onSend may refuse a batch: stored says whether the broker keeps it all the same.
	onSend  func(n int, batch rocketmq.BatchRequest) (stored bool, err error)
	onPull  func(offset int64) error
	slow    func()         // is called before a pull or a send, without the lock: it may take its time
	hidden  map[int64]bool // offsets that pulls leave out
	unshown int64          // so many of a queue's last messages aren't shown yet; what was shown stays shown
	// late are sends that the broker received and hasn't taken up: it does so before any send that it receives after them.
	late  []rocketmq.BatchRequest
	down  error // answers everything
	limit int   // most bytes of a batch, 0 if it doesn't say
	// noBatches: it takes messages that are sent alone.
	noBatches bool
	// untold: it doesn't say that it takes none, nor did; upgraded: it took none before.
	untold, upgraded bool
	says             map[string]string // of how it is
	brief            bool              // it lists no ends, as brokers before 5.x of queues that producers don't see
}

type fakeQueue struct {
	topic string
	Queue
}

// fakeLog is the messages [first, first+len) of a queue.
type fakeLog struct {
	first     int64
	shown     int64 // the end that was last said
	messages  []rocketmq.Message
	positions map[string]int64
	holder    string
	lockedAt  time.Time
	arrived   chan struct{} // closed when something arrives
}

func (l *fakeLog) end() int64 { return l.first + int64(len(l.messages)) }

// show returns the end of what is shown while the last messages aren't.
func (l *fakeLog) show(unshown int64) int64 {
	l.shown = max(l.shown, l.first, l.end()-unshown)
	return l.shown
}

func newFakeSide(cluster string) *fakeSide {
	return &fakeSide{cluster: cluster, queues: map[fakeQueue]*fakeLog{}, groups: map[string]bool{}}
}

func (f *fakeSide) log(topic string, q Queue) *fakeLog {
	key := fakeQueue{topic, q}
	if f.queues[key] == nil {
		f.queues[key] = &fakeLog{positions: map[string]int64{}, arrived: make(chan struct{})}
	}
	return f.queues[key]
}

func (f *fakeSide) append(topic string, q Queue, messages ...rocketmq.Message) (first int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.appendLocked(topic, q, messages...)
}

func (f *fakeSide) appendLocked(topic string, q Queue, messages ...rocketmq.Message) (first int64) {
	log := f.log(topic, q)
	first = log.end()
	for _, m := range messages {
		m.Topic, m.Queue, m.QueueOffset = topic, q.ID, log.end()
		log.messages = append(log.messages, m)
	}
	close(log.arrived)
	log.arrived = make(chan struct{})
	return first
}

// expire removes everything before the offset.
func (f *fakeSide) expire(topic string, q Queue, offset int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log(topic, q)
	log.messages = log.messages[offset-log.first:]
	log.first = offset
}

// empty makes the queue anew.
func (f *fakeSide) empty(topic string, q Queue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.queues, fakeQueue{topic, q})
}

func (f *fakeSide) all(topic string, q Queue) []rocketmq.Message {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.log(topic, q).messages)
}

func (f *fakeSide) set(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

// hide is for a side at rest: the last messages are as they were before they were shown.
func (f *fakeSide) hide(unshown int64) {
	f.set(func() {
		f.unshown = unshown
		for _, log := range f.queues {
			log.shown = 0
		}
	})
}

// original is the message that a test writes at an offset, with that many of each born time.
func original(offset int64, sameBorn int) rocketmq.Message {
	return rocketmq.Message{
		Body: fmt.Appendf(nil, "body %d", offset), Flag: int32(offset % 7), BornTimestamp: 1_700_000_000_000 + offset/int64(sameBorn),
		Properties: []byte(fmt.Sprintf("KEYS\x01k%d\x02TAGS\x01a", offset)),
	}
}
