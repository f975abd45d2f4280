package logs

import (
	"maps"
	"sync"
	"time"
)

// Rarely keeps what any client can cause from filling the log.
type Rarely struct {
	mu   sync.Mutex
	last time.Time
}

// rareness is how often such a thing is said at most.
const rareness = 30 * time.Second

// Each says rarely of each of some things.
type Each[T comparable] struct {
	mu     sync.Mutex
	all    map[T]*Rarely
	others Rarely
}

// mostEach bounds of how many things it is known when something was said of them last. Of all
// others together it is said as rarely as of one: clients choose names without end.
const mostEach = 1000

// Due reports whether something is to be said of this one now.
func (e *Each[T]) Due(of T) bool {
	e.mu.Lock()
	one := e.all[of]
	if one == nil && len(e.all) >= mostEach {
		maps.DeleteFunc(e.all, func(_ T, r *Rarely) bool { return r.over() })
	}
	if one == nil {
		if one = new(Rarely); len(e.all) >= mostEach {
			one = &e.others
		} else {
			if e.all == nil {
				e.all = map[T]*Rarely{}
			}
			e.all[of] = one
		}
	}
	e.mu.Unlock()
	return one.Due()
}

// over reports whether it may be said again.
func (r *Rarely) over() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return time.Since(r.last) >= rareness
}

// Due reports whether it is to be said now.
func (r *Rarely) Due() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if time.Since(r.last) < rareness {
		return false
	}
	r.last = time.Now()
	return true
}
