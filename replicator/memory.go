package replicator

import (
	"context"
	"sync"
)

// memory bounds what the lanes of a process hold of messages on their way: answers to pulls, until
// their messages are copied. Before it asks, a lane reserves what the last answer took. What a lane
// gets that has waited at the end of its queue can't be known before: it is counted when it comes,
// and holds others back until there is room again.
type memory struct {
	mu    sync.Mutex
	limit int64
	used  int64
	most  int64         // used at any time
	freed chan struct{} // closed when something is given back
}

func newMemory(limit int64) *memory { return &memory{limit: limit, freed: make(chan struct{})} }

// try reserves bytes if there is room. Somebody who is alone always gets them.
func (m *memory) try(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used > 0 && m.used+n > m.limit {
		return false
	}
	m.count(n)
	return true
}

// wait reserves bytes as soon as there is room.
func (m *memory) wait(ctx context.Context, n int64) error {
	for {
		m.mu.Lock()
		freed := m.freed
		m.mu.Unlock()
		if m.try(n) {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take counts bytes that are there already; a negative number gives them back.
func (m *memory) take(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(n)
}

func (m *memory) count(n int64) {
	m.used += n
	m.most = max(m.most, m.used)
	if n < 0 {
		close(m.freed)
		m.freed = make(chan struct{})
	}
}

func (m *memory) give(n int64) { m.take(-n) }
