package shards

import (
	"sync"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

// Running keeps what the lanes of a shard that runs told last, for who asks meanwhile.
type Running struct {
	Observe  func(lane.Progress)
	Counter  *Counter
	Offered  <-chan struct{} // closed when another worker is to run the lanes
	Most     int             // topics, and faults, to tell of
	mu       sync.Mutex
	progress api.ReplicationProgress
}

// Begin tells what the attempt before did, while the lanes haven't said anything yet.
func (b *Running) Begin(broker, holder string, last lane.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress = api.ReplicationProgress{
		Broker: broker, Holder: holder, Progress: b.bounded(b.Counter.Begun(last)),
	}
}

// Report takes what the lanes say.
func (b *Running) Report(p lane.Progress) {
	b.Observe(p)
	p = b.bounded(b.Counter.Add(p))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Progress = p
}

// Unpaired takes what is wrong with topics whose queues have no lanes.
func (b *Running) Unpaired(topics []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Unpaired = topics[:min(len(topics), b.Most)]
}

// Lost takes what the workers' store has lost that the lanes went by; empty if nothing is.
func (b *Running) Lost(text string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Lost = text
}

// Read is what was told last.
func (b *Running) Read() api.ReplicationProgress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.progress
}

// Offer is what the next worker is told.
func (b *Running) Offer() api.ReplicationProgress {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Offers = 1
	return b.progress
}

// End is what lanes tell that end: how much they have copied. What else they told was of a moment.
func (b *Running) End() api.ReplicationProgress {
	p := b.Read()
	if p.Back != nil {
		p.Back = &lane.Progress{Copied: p.Back.Copied}
	}
	p.Progress = lane.Progress{Copied: p.Copied, Back: p.Back}
	return p
}

// bounded tells of as much as the heartbeat may.
func (b *Running) bounded(p lane.Progress) lane.Progress {
	p = Bounded(p, b.Most)
	if p.Back != nil {
		back := Bounded(*p.Back, b.Most)
		p.Back = &back
	}
	return p
}
