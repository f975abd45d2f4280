package advice

import (
	"cmp"
	"fmt"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/printable"
)

// mostWaves is how many waves anybody steers by hand; what is left goes into the last.
const mostWaves = 20

// waves are the topics and groups that belong together: a group reads several topics, and a topic
// has several readers. Small ones without an order come first: what goes wrong harms least there.
func waves(seen facts.Facts, ordered map[string]bool) []api.RecommendedWave {
	parts := together(seen)
	type judged struct {
		api.RecommendedWave
		ordered  bool
		messages int64
	}
	all := make([]judged, len(parts))
	for i, part := range parts {
		all[i].RecommendedWave = part
		for _, topic := range part.Topics {
			all[i].ordered = all[i].ordered || ordered[topic]
			all[i].messages += seen.Messages[topic]
		}
	}
	slices.SortStableFunc(all, func(a, b judged) int {
		if a.ordered != b.ordered {
			if a.ordered {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.messages, b.messages)
	})
	var waves []api.RecommendedWave
	for i, one := range all {
		if i >= mostWaves {
			last := &waves[mostWaves-1]
			last.Topics, last.Groups = append(last.Topics, one.Topics...), append(last.Groups, one.Groups...)
			last.Why = "the rest, of which each part could go alone"
			continue
		}
		order := "without an order to keep"
		if one.ordered {
			order = "in order"
		}
		one.Why = fmt.Sprintf("these groups read these topics and no others, %s; %s stored", order,
			printable.Counted(one.messages, "message"))
		if len(one.Groups) == 0 {
			one.Why = fmt.Sprintf("no group reads it; %s stored", printable.Counted(one.messages, "message"))
		}
		waves = append(waves, one.RecommendedWave)
	}
	return waves
}

// together are the connected parts of the graph of topics and their readers.
func together(seen facts.Facts) (parts []api.RecommendedWave) {
	topicsOf := map[string][]string{}
	for _, topic := range seen.TopicNames {
		for _, group := range seen.Readers[topic] {
			topicsOf[group] = append(topicsOf[group], topic)
		}
	}
	done := map[string]bool{}
	for _, first := range seen.TopicNames {
		if done[first] {
			continue
		}
		done[first] = true
		part, groups := api.RecommendedWave{}, map[string]bool{}
		for open := []string{first}; len(open) > 0; {
			topic := open[0]
			open = open[1:]
			part.Topics = append(part.Topics, topic)
			for _, group := range seen.Readers[topic] {
				if groups[group] {
					continue
				}
				groups[group] = true
				for _, next := range topicsOf[group] {
					if !done[next] {
						done[next] = true
						open = append(open, next)
					}
				}
			}
		}
		slices.Sort(part.Topics)
		part.Groups = clusters.SortedKeys(groups)
		parts = append(parts, part)
	}
	return parts
}
