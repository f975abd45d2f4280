package replicas

import (
	"sync"

	"rocketshift/internal/gateway/routing"
)

// reach knows the servers to which connections get no answer. A request for one fails at once then:
// while a client's connection waits for that, all else that it has asked, of servers that are well,
// waits too.
type reach struct {
	mu     sync.Mutex
	silent map[routing.Dest]error // why they count as such
}

// Why is why a server counts as silent; nil if it doesn't.
func (r *reach) Why(to routing.Dest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent[to]
}

// Lost notes a silent server, and reports whether it was none before.
func (r *reach) Lost(to routing.Dest, why error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent[to] != nil {
		return false
	}
	if r.silent == nil {
		r.silent = map[routing.Dest]error{}
	}
	r.silent[to] = why
	return true
}

// Found takes note that a server answers.
func (r *reach) Found(to routing.Dest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.silent, to)
}
