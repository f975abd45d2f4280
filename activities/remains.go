package activities

import (
	"context"
	"strings"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// remains finds topics of the target that an earlier run made while it saw a part of the source
// alone, by topic, with how to mend them. Read are the positions of the lanes' group on the source:
// lanes that have one go on where they are. Without any, topics with too few queues alone are
// looked at.
func (s sides) remains(
	ctx context.Context, l layout, topics []string, read committed,
) (map[string]api.Finding, error) {
	if s.target.Proxy() != "" { // which nobody can be told to mend so
		return nil, nil
	}
	var mu sync.Mutex
	all := map[string]api.Finding{}
	err := each(ctx, topics, func(ctx context.Context, topic string) error {
		look := l.suspects(topic, read)
		if len(look) == 0 {
			return nil
		}
		copies, err := replica.CopiesIn(ctx, s.target.Cluster, laneNames(s.plan), topic, look)
		if err != nil {
			return s.target.explain(ctx, err)
		}
		source, target := l.sourceTopics[topic], l.targetTopics[topic]
		left, some := replica.RemainsOf(source, target, sortedKeys(addresses(l.targetBrokers)), copies)
		if !some || left.Begun(target) {
			return nil
		}
		at := replica.Place{
			Source: strings.Join(s.source.NameServers(), ";"), Target: strings.Join(s.target.NameServers(), ";"),
			Topic: topic, Renamed: s.plan.Target.Topic(topic), Group: s.plan.LaneGroup(), Brokers: l.targetBrokers,
		}
		mend := left.Mend(at, target)
		mu.Lock()
		defer mu.Unlock()
		all[topic] = refusal("topic "+topic, mend, "%s", left.Cause(source, target))
		return nil
	})
	return all, err
}

// suspects are the queues of a topic of the target in which copies may lie where they don't belong.
func (l layout) suspects(topic string, read committed) (queues []lane.Queue) {
	from, to := l.sourceTopics.queues(topic), l.targetTopics.queues(topic)
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

// remainsFindings are what an earlier run left on a target that exists.
func (s Settings) remainsFindings(
	ctx context.Context, p plan.Plan, inv *inventory, targetBrokers []rocketmq.Broker,
) (findings []api.Finding, err error) {
	if len(targetBrokers) == 0 {
		return nil, nil
	}
	both, err := s.clusters().both(ctx, p)
	if err != nil {
		return nil, err
	}
	l := layout{sourceBrokers: inv.brokers, targetBrokers: targetBrokers, sourceTopics: inv.topics}
	topics := inv.topics.selected(p, inv.brokers)
	if l.targetTopics, err = both.target.topicTable(ctx, targetBrokers, topics); err != nil {
		return nil, err
	}
	read := inv.positions[p.LaneGroup()]
	if read == nil {
		read = committed{}
	}
	all, err := both.remains(ctx, l, topics, read)
	for _, topic := range sortedKeys(all) {
		findings = append(findings, all[topic])
	}
	return findings, err
}
