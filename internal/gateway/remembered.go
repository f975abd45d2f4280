package gateway

import (
	"slices"

	"rocketshift/internal/gateway/control"
)

func (m *moves) remembered(id string) (control.Moved, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	was, there := m.done[id]
	return was, there
}

// remember keeps what became of a move.
func (m *moves) remember(was control.Moved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.done == nil {
		m.done = map[string]control.Moved{}
	}
	m.recent = append(slices.DeleteFunc(m.recent, func(id string) bool { return id == was.ID }), was.ID)
	m.done[was.ID] = was
	if len(m.recent) > rememberedMoves {
		delete(m.done, m.recent[0])
		m.recent = m.recent[1:]
	}
}

func (m *moves) forget(id string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.done, id)
	m.recent = slices.DeleteFunc(m.recent, func(other string) bool { return other == id })
}

// newest are the last moves that are remembered, oldest first.
func (m *moves) newest(most int) (all []control.Moved) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, id := range m.recent[max(0, len(m.recent)-most):] {
		all = append(all, m.done[id])
	}
	return all
}
