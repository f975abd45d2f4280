package shards

import "sync"

// mostOffers is how many workers may leave a shard to others before the next one takes it whatever
// it has: about as many tries as it takes to meet the one that has room, and seconds at most.
const mostOffers = 10

// Shares spreads the shards of each migration evenly over the workers. A worker takes all that it
// is given of shards whose worker died: somebody must run them. But of those that begin, or that
// another worker offers, it takes no more than its part, and when workers join it offers what it
// has beyond it. The zero value knows of no other worker.
type Shares struct {
	mu      sync.Mutex
	workers int
	held    map[string][]*Share // by migration, oldest first
}

// Share is a shard that runs in this worker.
type Share struct {
	migration string
	shards    int           // of the migration
	Offered   chan struct{} // closed when another worker is to run it
}

// Set says how many workers there are by now, and whether some of them joined since it was said
// last.
func (s *Shares) Set(workers int, joined bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.workers = workers
	if !joined {
		return
	}
	for migration, held := range s.held {
		for len(held) > s.part(held[0].shards) {
			last := len(held) - 1
			close(held[last].Offered)
			held = held[:last]
		}
		s.held[migration] = held
	}
}

// part is how many of so many shards one worker runs.
func (s *Shares) part(shards int) int {
	workers := max(s.workers, 1)
	return (shards + workers - 1) / workers
}

// Take begins a shard, unless it is to go to a worker that has fewer. free says that nobody ran it
// until now, or that somebody else left it; offers is how many did so in a row.
func (s *Shares) Take(migration string, shards int, free bool, offers int) (*Share, bool) {
	one := &Share{migration: migration, shards: shards, Offered: make(chan struct{})}
	if s == nil {
		return one, true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if free && shards > 0 && offers < mostOffers && len(s.held[migration]) >= s.part(shards) {
		return nil, false
	}
	if s.held == nil {
		s.held = map[string][]*Share{}
	}
	s.held[migration] = append(s.held[migration], one)
	return one, true
}

// Leave ends a shard.
func (s *Shares) Leave(one *Share) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	held := s.held[one.migration]
	for i, other := range held {
		if other == one {
			held = append(held[:i:i], held[i+1:]...)
			break
		}
	}
	if s.held[one.migration] = held; len(held) == 0 {
		delete(s.held, one.migration)
	}
}
