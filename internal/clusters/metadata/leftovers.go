package metadata

import (
	"context"
	"strings"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/findings"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// leftover is what an earlier run left of a topic.
type leftover struct {
	api.Finding
	// grow is how many queues each broker needs, so that all copies stay where they belong; nil if
	// that isn't possible, or some lie elsewhere.
	grow map[string]int
}

// Leftovers finds topics of the target that an earlier run made while it saw a part of the source
// alone, by topic, with how to mend them. Read are the positions of the lanes' group on the source:
// lanes that have one go on where they are. Without any, topics with too few queues alone are
// looked at.
func Leftovers(
	ctx context.Context, s clusters.Both, l clusters.Layout, topics []string, read clusters.Committed,
) (map[string]api.Finding, error) {
	found, err := leftoversOf(ctx, s, l, topics, read)
	all := map[string]api.Finding{}
	for topic, left := range found {
		all[topic] = left.Finding
	}
	return all, err
}

func leftoversOf(
	ctx context.Context, s clusters.Both, l clusters.Layout, topics []string, read clusters.Committed,
) (map[string]leftover, error) {
	if s.Target.Proxy() != "" { // which nobody can be told to mend so
		return nil, nil
	}
	var mu sync.Mutex
	all := map[string]leftover{}
	err := clusters.Each(ctx, topics, func(ctx context.Context, topic string) error {
		look := suspects(l, topic, read)
		if len(look) == 0 {
			return nil
		}
		copies, err := replica.CopiesIn(ctx, s.Target.Cluster, clusters.LaneNames(s.Plan), topic, look)
		if err != nil {
			return s.Target.Explain(ctx, err)
		}
		source, target := l.SourceTopics[topic], l.TargetTopics[topic]
		left, some := replica.RemainsOf(source, target,
			clusters.SortedKeys(clusters.AddressesOf(l.TargetBrokers)), copies)
		if !some || left.Begun(target) {
			return nil
		}
		at := replica.Place{
			Source: strings.Join(s.Source.NameServers(), ";"), Target: strings.Join(s.Target.NameServers(), ";"),
			Topic: topic, Renamed: s.Plan.Target.Topic(topic), Group: s.Plan.LaneGroup(), Brokers: l.TargetBrokers,
		}
		mend := left.Mend(at, target)
		mu.Lock()
		defer mu.Unlock()
		found := leftover{
			findings.TargetLeftovers.Refusal("topic "+topic, mend, "%s", left.Cause(source, target)),
			left.Grow,
		}
		if len(left.Misplaced) > 0 {
			found.grow = nil
		}
		all[topic] = found
		return nil
	})
	return all, err
}

// suspects are the queues of a topic of the target in which copies may lie where they don't belong.
func suspects(l clusters.Layout, topic string, read clusters.Committed) (queues []lane.Queue) {
	from, to := l.SourceTopics.Queues(topic), l.TargetTopics.Queues(topic)
	switch {
	case len(to) == 0 || len(from) < len(to):
		return nil
	case len(from) > len(to):
		return to
	case read == nil:
		return nil
	}
	lanes, err := lane.Pair(topic, from, to)
	if err != nil {
		return nil
	}
	for _, lane := range lanes {
		if _, begun := read[topic][lane.Source]; !begun {
			queues = append(queues, lane.Target)
		}
	}
	return queues
}
