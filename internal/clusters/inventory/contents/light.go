package contents

import (
	"context"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
)

// lightQueues tells of brokers of the source on which messages get into light queues, as MQTT uses
// them (4.9.3 and later). Lanes copy the topics that such messages were sent to, and the target
// deals them out anew.
func lightQueues(seen facts.Facts) []api.Finding {
	var brokers []string
	for _, b := range seen.Configured {
		if strings.EqualFold(b.Values["enableLmq"], "true") ||
			strings.EqualFold(b.Values["enableMultiDispatch"], "true") {
			brokers = append(brokers, b.Name)
		}
	}
	if len(brokers) == 0 {
		return nil
	}
	return []api.Finding{findings.LightQueues.Warning("source broker "+printable.Listed(brokers), "",
		"has light queues switched on (enableLmq, enableMultiDispatch)")}
}

// targetLight tells which of the selected topics the target has as light ones (5.4 and later):
// brokers give their messages to light consumers only.
func targetLight(seen facts.Facts, light []string) (all []api.Finding) {
	for _, topic := range light {
		all = append(all, findings.TargetLite.Refusal("topic "+topic, "",
			"is of type LITE on the target, where its name is %s", seen.Plan.Target.Topic(topic)))
	}
	return all
}

// typeLite is the type of such topics.
const typeLite = "LITE"

// lightTopics are those of the selected topics that the target has as light ones. A proxy doesn't
// tell it.
func lightTopics(ctx context.Context, target *clusters.One, seen facts.Facts) (names []string, err error) {
	if target == nil || target.Proxy() != "" {
		return nil, nil
	}
	there, err := target.TopicTable(ctx, seen.Target.Brokers, nil)
	if err != nil {
		return nil, err
	}
	for _, topic := range seen.TopicNames {
		for _, broker := range clusters.SortedKeys(there[topic]) {
			if there[topic][broker].Attributes[rocketmq.TypeAttribute] == typeLite {
				names = append(names, topic)
				break
			}
		}
	}
	return names, nil
}
