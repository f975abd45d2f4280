package shards

import (
	"maps"
	"slices"
	"sync"

	"rocketshift/replicator/lane"
)

// LanesOf names the lanes that one activity runs.
type LanesOf struct {
	Migration string // name in the plan
	Broker    string // source broker
	Part      int    // of its lanes
}

// Observed is the newest progress of the lanes that run in this process, and what those copied that
// no longer run here, for whoever exports it as metrics. The zero value is empty.
type Observed struct {
	mu     sync.Mutex
	newest map[LanesOf]lane.Progress
	ended  map[string]lane.Progress // by migration: counts alone
}

// All returns a copy of what is there now.
func (o *Observed) All() map[LanesOf]lane.Progress {
	all := map[LanesOf]lane.Progress{}
	o.mu.Lock()
	defer o.mu.Unlock()
	for of, p := range o.newest {
		all[of] = p
	}
	return all
}

// Ended returns what lanes that ran here before have copied, by migration: counters must not fall
// when a shard goes to another worker.
func (o *Observed) Ended() map[string]lane.Progress {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.ended)
}

// Put takes what lanes say of themselves.
func (o *Observed) Put(of LanesOf, p lane.Progress) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.newest == nil {
		o.newest = map[LanesOf]lane.Progress{}
	}
	o.newest[of] = p
}

// Forget is for lanes that no longer run here.
func (o *Observed) Forget(of LanesOf) {
	if o == nil {
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	last, ran := o.newest[of]
	if !ran {
		return
	}
	delete(o.newest, of)
	if o.ended == nil {
		o.ended = map[string]lane.Progress{}
	}
	sum := o.ended[of.Migration]
	sum.Topics = counted(sum.Topics, last.Topics)
	if last.Back != nil {
		back := lane.Progress{}
		if sum.Back != nil {
			back = *sum.Back
		}
		back.Topics = counted(back.Topics, last.Back.Topics)
		sum.Back = &back
	}
	o.ended[of.Migration] = sum
}

// counted adds the counts of lanes that ended to those before. What they were doing is no longer
// so.
func counted(before, last []lane.TopicProgress) []lane.TopicProgress {
	sums := slices.Clone(before)
	for _, t := range last {
		counts := lane.TopicProgress{
			Topic:      t.Topic,
			Copied:     t.Copied,
			Bytes:      t.Bytes,
			Batches:    t.Batches,
			Sending:    t.Sending,
			Skipped:    t.Skipped,
			Stragglers: t.Stragglers,
		}
		if i := slices.IndexFunc(sums, func(s lane.TopicProgress) bool { return s.Topic == t.Topic }); i >= 0 {
			sums[i] = sums[i].Plus(counts)
		} else {
			sums = append(sums, counts)
		}
	}
	return sums
}
