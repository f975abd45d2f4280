package metadata

import (
	"maps"

	"rocketshift/internal/clusters"
	"rocketshift/replicator/lane"
)

// paired is a topic on both sides, with as many queues on each.
type paired struct{ source, target clusters.Counts }

func (p paired) pairs() map[lane.Queue]lane.Queue {
	lanes, err := lane.Pair("", p.source.Queues(), p.target.Queues())
	if err != nil {
		return nil
	}
	all := map[lane.Queue]lane.Queue{}
	for _, lane := range lanes {
		all[lane.Source] = lane.Target
	}
	return all
}

// grown is how many queues the target's brokers need for a source that got more, so that each pair
// stays; false if there is no such way: where queues of two source brokers go to one, those of the
// first can't get more.
func (p paired) grown(source clusters.Counts) (clusters.Counts, bool) {
	atEnd := maps.Clone(p.target)
	if brokers := clusters.SortedKeys(p.target); len(brokers) > 0 {
		atEnd[brokers[len(brokers)-1]] += source.Sum() - p.target.Sum()
	}
	alike := clusters.Counts{}
	if from, to := clusters.SortedKeys(source), clusters.SortedKeys(p.target); len(from) == len(to) {
		for i, broker := range to {
			alike[broker] = source[from[i]]
		}
	}
	for _, want := range []clusters.Counts{alike, atEnd} {
		if p.staysIn(paired{source, want}) {
			return want, true
		}
	}
	return nil, false
}

func (p paired) staysIn(next paired) bool {
	before, after := p.pairs(), next.pairs()
	if before == nil || after == nil {
		return false
	}
	for source, target := range before {
		if after[source] != target {
			return false
		}
	}
	for broker, n := range p.target {
		if next.target[broker] < n {
			return false
		}
	}
	return true
}
