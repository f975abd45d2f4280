package activities

import (
	"maps"

	"rocketshift/replicator/lane"
)

// counts are how many queues of a topic each broker has.
type counts map[string]int

func (t topicTable) counts(topic string) counts {
	all := counts{}
	for broker, config := range t[topic] {
		all[broker] = config.Queues()
	}
	return all
}

func (c counts) sum() (n int) {
	for _, queues := range c {
		n += queues
	}
	return n
}

func (c counts) queues() (all []lane.Queue) {
	for broker, n := range c {
		for id := range n {
			all = append(all, lane.Queue{Broker: broker, ID: id})
		}
	}
	return all
}

// paired is a topic on both sides, with as many queues on each.
type paired struct{ source, target counts }

func (p paired) pairs() map[lane.Queue]lane.Queue {
	lanes, err := lane.Pair("", p.source.queues(), p.target.queues())
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
func (p paired) grown(source counts) (counts, bool) {
	atEnd := maps.Clone(p.target)
	if brokers := sortedKeys(p.target); len(brokers) > 0 {
		atEnd[brokers[len(brokers)-1]] += source.sum() - p.target.sum()
	}
	alike := counts{}
	if from, to := sortedKeys(source), sortedKeys(p.target); len(from) == len(to) {
		for i, broker := range to {
			alike[broker] = source[from[i]]
		}
	}
	for _, want := range []counts{alike, atEnd} {
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
