package activities

import (
	"sync"

	"rocketshift/replicator"
)

// LanesOf names the lanes that one activity runs.
type LanesOf struct {
	Migration string // name in the plan
	Broker    string // source broker
}

// Observed is the newest progress of the lanes that run in this process, for whoever exports it as metrics. The zero value is empty.
type Observed struct {
	mu     sync.Mutex
	newest map[LanesOf]replicator.Progress
}

// All returns a copy of what is there now.
func (o *Observed) All() map[LanesOf]replicator.Progress {
	all := map[LanesOf]replicator.Progress{}
	o.mu.Lock()
	defer o.mu.Unlock()
	for of, p := range o.newest {
		all[of] = p
	}
	return all
}

// Put takes what lanes say of themselves.
func (o *Observed) Put(of LanesOf, p replicator.Progress) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.newest == nil {
		o.newest = map[LanesOf]replicator.Progress{}
	}
	o.newest[of] = p
}

// forget is for lanes that no longer run here.
func (o *Observed) forget(of LanesOf) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.newest, of)
}
