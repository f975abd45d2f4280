package throttle

import (
	"context"
	"sync"
)

// Memory bounds the memory of messages on their way, for the lanes of a process: from the answer to
// a pull until its messages are copied. Before it asks, a lane reserves what the last answer took.
// The answer to a pull that waited at the end of a queue can't be known before: it is counted when
// it comes, and other lanes wait until there is room again.
type Memory struct {
	mu    sync.Mutex
	limit int64
	used  int64
	most  int64         // used at any time
	freed chan struct{} // closed when something is given back
}

// NewMemory is the memory for that many bytes.
func NewMemory(limit int64) *Memory { return &Memory{limit: limit, freed: make(chan struct{})} }

// Try reserves bytes if there is room. If nothing is reserved, it always succeeds.
func (m *Memory) Try(n int64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.used > 0 && m.used+n > m.limit {
		return false
	}
	m.count(n)
	return true
}

// Wait reserves bytes as soon as there is room.
func (m *Memory) Wait(ctx context.Context, n int64) error {
	for {
		m.mu.Lock()
		freed := m.freed
		m.mu.Unlock()
		if m.Try(n) {
			return nil
		}
		select {
		case <-freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Take counts bytes that are there already; a negative number gives them back.
func (m *Memory) Take(n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.count(n)
}

func (m *Memory) count(n int64) {
	m.used += n
	m.most = max(m.most, m.used)
	if n < 0 {
		close(m.freed)
		m.freed = make(chan struct{})
	}
}

// Give gives bytes back.
func (m *Memory) Give(n int64) { m.Take(-n) }
