package activities

import "rocketshift/replicator/lane"

// The heartbeats of all shards of a migration are looked at together, so they share what they may
// tell of: topics, and faults. Both are lines of some 300 bytes, worst first, and servers bound
// answers to 4 MiB.
const (
	maxTold = 50  // of one shard: what a person reads
	leastOf = 5   // of one shard
	toldOf  = 800 // of all shards
)

// mostTold is how many topics, and how many faults, the heartbeats of one of so many shards tell
// of.
func mostTold(shards int) int { return min(maxTold, max(leastOf, toldOf/max(shards, 1))) }

// bounded tells of as much as the heartbeat may.
func (b *beater) bounded(p lane.Progress) lane.Progress {
	p = told(p, b.most)
	if p.Back != nil {
		back := told(*p.Back, b.most)
		p.Back = &back
	}
	return p
}

func told(p lane.Progress, most int) lane.Progress {
	p.Topics, p.Faults = p.Topics[:min(len(p.Topics), most)], p.Faults[:min(len(p.Faults), most)]
	p.Stragglers = p.Stragglers[:min(len(p.Stragglers), most)]
	return p
}
