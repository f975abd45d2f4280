package shards

import (
	"hash/fnv"

	"rocketshift/replicator/lane"
)

// The heartbeats of all shards of a migration are looked at together, so they share what they may
// tell of: topics, and faults. Both are lines of some 300 bytes, worst first, and servers bound
// answers to 4 MiB.
const (
	maxTold = 50  // of one shard: what a person reads
	leastOf = 5   // of one shard
	toldOf  = 800 // of all shards
)

// MostTold is how many topics, and how many faults, the heartbeats of one of so many shards tell
// of.
func MostTold(shards int) int { return min(maxTold, max(leastOf, toldOf/max(shards, 1))) }

// Bounded is the progress with the first topics, faults and stragglers, at most so many of each.
func Bounded(p lane.Progress, most int) lane.Progress {
	p.Topics, p.Faults = p.Topics[:min(len(p.Topics), most)], p.Faults[:min(len(p.Faults), most)]
	p.Stragglers = p.Stragglers[:min(len(p.Stragglers), most)]
	return p
}

// PartOf is the shard of a lane, of those of its source broker. Topics begin at different ones, so
// that the lanes of a hundred topics with one queue each don't all go to the same.
func PartOf(lane lane.Lane, parts int) int {
	of := fnv.New32a()
	_, _ = of.Write([]byte(lane.Topic))
	return int((uint64(of.Sum32()) + uint64(lane.Index)) % uint64(parts))
}
