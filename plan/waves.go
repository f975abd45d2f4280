package plan

import (
	"maps"
	"slices"
)

// Wave is what moves together in one step: first the groups, then the producers of the topics.
type Wave struct {
	Step   int      `json:"step"` // percent of the topics that have moved when the wave is done
	Topics []string `json:"topics,omitempty"`
	Groups []string `json:"groups,omitempty"`
}

// Waves shares the topics, sorted by name, among the plan's steps; each step rounds up. A group
// moves as a whole, in the earliest wave that has one of its topics. readers lists the groups that
// read each topic. Steps in which nothing moves are left out. The plan must have its defaults:
// without steps nothing moves.
func (p Plan) Waves(readers map[string][]string) []Wave {
	topics := slices.Sorted(maps.Keys(readers))
	var waves []Wave
	moved := map[string]bool{}
	done := 0
	for _, step := range p.Shift.Steps {
		upTo := (len(topics)*step + 99) / 100
		if upTo <= done {
			continue
		}
		w := Wave{Step: step, Topics: slices.Clone(topics[done:upTo])}
		for _, t := range w.Topics {
			for _, g := range readers[t] {
				if !moved[g] {
					moved[g] = true
					w.Groups = append(w.Groups, g)
				}
			}
		}
		slices.Sort(w.Groups)
		waves = append(waves, w)
		done = upTo
	}
	return waves
}

// GatewayWaves shares the groups, sorted by name, among the plan's steps; each step rounds up. A
// step moves its groups, and then the homes of that percentage of all queues; groups don't depend
// on homes. readers lists the groups that read each topic.
func (p Plan) GatewayWaves(readers map[string][]string) []Wave {
	groups := AllReaders(readers)
	var waves []Wave
	done := 0
	for _, step := range p.Shift.Steps {
		upTo := (len(groups)*step + 99) / 100
		waves = append(waves, Wave{Step: step, Groups: slices.Clone(groups[done:upTo])})
		done = upTo
	}
	return waves
}

// AllReaders are the groups that read any of the topics, sorted.
func AllReaders(readers map[string][]string) []string {
	var groups []string
	for _, t := range AllTopics(readers) {
		groups = append(groups, readers[t]...)
	}
	slices.Sort(groups)
	return slices.Compact(groups)
}

// AllTopics are the topics, sorted.
func AllTopics(readers map[string][]string) []string { return slices.Sorted(maps.Keys(readers)) }
