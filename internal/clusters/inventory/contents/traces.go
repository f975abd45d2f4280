package contents

import (
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
)

// traceTopic is where clients write traces unless they are told otherwise (TopicValidator).
const traceTopic = "RMQ_SYS_TRACE_TOPIC"

// traceTopics are those that the source's brokers make for traces.
func traceTopics(seen facts.Facts) []string {
	names := []string{traceTopic}
	for _, b := range seen.Configured {
		if own := b.Values["msgTraceTopicName"]; own != "" && !slices.Contains(names, own) {
			names = append(names, own)
		}
	}
	return names
}

// tracesOf tells of message traces. Nobody moves RocketMQ's own topic. A custom one counts as an
// application's, and would be copied.
func tracesOf(seen facts.Facts, held map[string]int64) (all []api.Finding) {
	for _, topic := range clusters.SortedKeys(held) {
		if held[topic] > 0 && slices.Contains(traceTopics(seen), topic) && !slices.Contains(seen.TopicNames, topic) {
			all = append(all, findings.TraceTopic.Advice("topic "+topic, "",
				"holds message traces, which stay on the source").With(seen.At, "%d records stored", held[topic]))
		}
	}
	for _, topic := range seen.TopicNames {
		sample := seen.Samples[topic]
		if traces := sample.Extent.Traces; traces > 0 {
			all = append(all, findings.TraceTopic.Warning("topic "+topic,
				"exclude it (topics.exclude), and let clients make their traces on the target; "+
					"look at old traces on the source",
				"is a trace topic of applications: it is copied as any other").
				With(seen.At, "%d of %d sampled messages are records of traces", traces, sample.Looked))
		}
	}
	return all
}
