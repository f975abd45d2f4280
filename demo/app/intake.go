package main

import (
	"sync"

	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"

	"rocketshift/demo/ledger"
)

// intake decides which deliveries are still worked on when the application ends.
//
// The stock client forgets what is in work when it shuts down: it commits the lowest unfinished
// offset of each queue, and whatever was worked on above it is delivered again. So from the stop
// signal on, a delivery is admitted only if a later one of its queue was admitted already: each
// queue ends at one offset, with all work below done and none above begun.
type intake struct {
	mu      sync.Mutex
	file    *ledger.File
	member  string                               // this run, as its client calls itself
	highest map[primitive.MessageQueue]int64     // highest offset admitted
	mine    map[string][]*primitive.MessageQueue // by topic: what the group's members agreed is this member's
	closing bool
}

func newIntake(file *ledger.File, member string) *intake {
	return &intake{
		file:    file,
		member:  member,
		highest: map[primitive.MessageQueue]int64{},
		mine:    map[string][]*primitive.MessageQueue{},
	}
}

func (i *intake) admit(q primitive.MessageQueue, offset int64) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	highest, seen := i.highest[q]
	if i.closing && (!seen || offset > highest) {
		return false
	}
	if !seen || offset > highest {
		i.highest[q] = offset
	}
	return true
}

func (i *intake) note(m *primitive.MessageExt) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	r := record(m)
	r.Member = i.member
	return i.file.Received(r)
}

// close returns the position that each queue will end at.
func (i *intake) close() map[primitive.MessageQueue]int64 {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.closing = true
	ends := make(map[primitive.MessageQueue]int64, len(i.highest))
	for q, offset := range i.highest {
		ends[q] = offset + 1
	}
	return ends
}

// allocate is the client's usual strategy; it remembers the result.
func (i *intake) allocate(
	group, self string,
	all []*primitive.MessageQueue,
	members []string,
) []*primitive.MessageQueue {
	mine := consumer.AllocateByAveragely(group, self, all, members)
	if len(all) > 0 {
		i.mu.Lock()
		defer i.mu.Unlock()
		i.mine[all[0].Topic] = mine
	}
	return mine
}

// allocated lists the member's queues of a topic, or returns false before the first allocation.
func (i *intake) allocated(topic string) ([]*primitive.MessageQueue, bool) {
	i.mu.Lock()
	defer i.mu.Unlock()
	mine, done := i.mine[topic]
	return mine, done
}
