package routing

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/memory"
)

// SortedKeys are the keys of a map, sorted.
func SortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// topics are those that the source has. Clients can't add to them by asking.
type topics struct {
	Most   int64          // queues; 0 means mostQueues
	Budget *memory.Budget // that queues are counted in
	made   atomic.Int64   // queues

	mu     sync.RWMutex
	byName map[string]*Topic
}

const (

	// MostQueues is how many all topics may have: 20,000 topics of 100. Together these take 800 MB
	// here.
	MostQueues = 2_000_000
	// PerQueue is what a queue takes, in bytes: itself, its lane, and its part of what is read anew
	// at each look.
	PerQueue = 400
)

// counts takes note of queues that were made.
func (t *topics) counts(queues int) {
	t.made.Add(int64(queues))
	t.Budget.Fix(int64(queues) * PerQueue)
}

// Get is the topic of that name; nil if the source has none.
func (t *topics) Get(name []byte) *Topic {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byName[string(name)]
}

// Ensure is the topic of that name, which is made if it isn't there.
func (t *topics) Ensure(name string) *Topic {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.byName[name]
	if one == nil {
		one = &Topic{Name: name, Since: time.Now(), queues: map[string][]*Queue{}, of: t}
		t.byName[name] = one
	}
	return one
}

// All are the topics, by name.
func (t *topics) All() []*Topic {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]*Topic, 0, len(t.byName))
	for _, name := range SortedKeys(t.byName) {
		all = append(all, t.byName[name])
	}
	return all
}
