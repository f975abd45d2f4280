package inventory

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq/remoting"
)

// wellSampled is how many topics are looked into with up to eight pulls each: the largest ones.
// With eight pulls for each of 10,000 topics, most of the time of Assess would go there.
const wellSampled = 1000

// measureTopics counts every selected topic, and samples it.
func measureTopics(ctx context.Context, c *clusters.One, inv *look, tell func(string)) error {
	var mu sync.Mutex
	err := clusters.Each(ctx, inv.topicNames(), func(ctx context.Context, topic string) error {
		tell("topic " + topic)
		ranges, err := c.Ranges(ctx, inv.brokers, inv.topics, topic)
		if err != nil {
			return err
		}
		route, err := c.Route(ctx, topic)
		if err != nil && remoting.CodeOf(err) != remoting.TopicNotExist { // without a route clients see nothing
			return c.Explain(ctx, err)
		}
		mu.Lock()
		defer mu.Unlock()
		inv.routes[topic], inv.ranges[topic] = route, ranges
		for _, span := range ranges {
			inv.messages[topic] += span.Max - span.Min
		}
		return nil
	})
	if err != nil {
		return err
	}
	inv.shortly = inv.lessSampled()
	return sampleTopics(ctx, c, inv, tell)
}

// lessSampled are the topics that are looked into with one pull alone: with thousands of topics, all
// but the largest ones and those whose order is known to matter.
func (inv *look) lessSampled() map[string]bool {
	if len(inv.topicNames()) <= wellSampled {
		return nil
	}
	bySize := slices.Clone(inv.topicNames())
	slices.SortStableFunc(bySize, func(a, b string) int { return cmp.Compare(inv.messages[b], inv.messages[a]) })
	less := map[string]bool{}
	for _, topic := range bySize[wellSampled:] {
		if inv.messages[topic] > 0 && !inv.topic(topic).Ordered {
			less[topic] = true
		}
	}
	return less
}

func sampleTopics(ctx context.Context, c *clusters.One, inv *look, tell func(string)) error {
	var mu sync.Mutex
	addr := clusters.AddressesOf(inv.brokers)
	return clusters.Each(ctx, inv.topicNames(), func(ctx context.Context, topic string) error {
		tell("messages of topic " + topic)
		seen, err := metadata.SampleTopic(ctx, c, addr, topic, inv.ranges[topic], inv.shortly[topic])
		if err != nil && remoting.CodeOf(err) < 0 {
			return c.Explain(ctx, err)
		}
		mu.Lock()
		defer mu.Unlock()
		inv.samples[topic] = seen
		if err != nil {
			inv.unsampled[topic] = err
		}
		return nil
	})
}

// samplingFindings say which topics were looked into less than others.
func (inv *look) samplingFindings() []api.Finding {
	if len(inv.shortly) == 0 {
		return nil
	}
	return []api.Finding{findings.TopicsSampledLess.Advice("topics", "",
		"of %d selected topics, the %d largest and the ordered ones were looked into well; of %d others "+
			"only the last messages of one queue", len(inv.topicNames()), wellSampled, len(inv.shortly)).
		With(inv.at, "among those: %s", printable.Few(clusters.SortedKeys(inv.shortly)))}
}
