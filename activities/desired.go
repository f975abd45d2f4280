package activities

import (
	"fmt"
	"sort"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Permissions of a topic, as brokers store them.
const (
	permRead  = 4
	permWrite = 2
)

// typeAttribute is where 5.x brokers keep a topic's message type; without it a topic is NORMAL.
const typeAttribute = "message.type"

// spread shares n queues among the brokers as evenly as possible; the first ones in client order get one more. A broker
// without a share is left out. So the i-th queue of either side in client order belongs to the same lane.
func spread(n int, brokers []string) map[string]int {
	sorted := append([]string(nil), brokers...)
	sort.Strings(sorted)
	shares := map[string]int{}
	for i, name := range sorted {
		share := n / len(sorted)
		if i < n%len(sorted) {
			share++
		}
		if share > 0 {
			shares[name] = share
		}
	}
	return shares
}

// desiredTopic is the configuration that the topic should have on each target broker. An ordered topic is made read-only:
// producers find no queue there before the lanes have drained.
func desiredTopic(name string, source map[string]rocketmq.TopicConfig, kind plan.MessageType, ordered bool, targetBrokers []string) map[string]rocketmq.TopicConfig {
	queues, model := 0, rocketmq.TopicConfig{}
	for i, broker := range sortedKeys(source) {
		config := source[broker]
		queues += max(config.ReadQueues, config.WriteQueues)
		if i == 0 {
			model = config
		}
	}
	model.Name, model.Perm, model.Attributes = name, permRead|permWrite, nil
	if ordered {
		model.Perm = permRead
	}
	if kind != "" && kind != plan.TypeNormal {
		model.Attributes = map[string]string{typeAttribute: string(kind)}
	}
	want := map[string]rocketmq.TopicConfig{}
	for broker, share := range spread(queues, targetBrokers) {
		config := model
		config.ReadQueues, config.WriteQueues = share, share
		want[broker] = config
	}
	return want
}

// missingTopic lists the brokers that lack the topic, or says in what an existing one differs. Write permission isn't
// compared: it opens and closes as producers move.
func missingTopic(name string, want, have map[string]rocketmq.TopicConfig) ([]string, *Finding) {
	for _, broker := range sortedKeys(have) {
		if _, wanted := want[broker]; !wanted {
			return nil, conflictFinding("topic "+name, fmt.Sprintf("exists on target broker %s, where the source's queue count leaves none for it", broker))
		}
	}
	var missing []string
	for _, broker := range sortedKeys(want) {
		found, there := have[broker]
		if !there {
			missing = append(missing, broker)
			continue
		}
		if difference := topicDifference(want[broker], found); difference != "" {
			return nil, conflictFinding("topic "+name, fmt.Sprintf("exists on target broker %s with %s", broker, difference))
		}
	}
	return missing, nil
}

func topicDifference(want, have rocketmq.TopicConfig) string {
	switch {
	case have.ReadQueues != want.ReadQueues || have.WriteQueues != want.WriteQueues:
		return fmt.Sprintf("%d read and %d write queues, wanted are %d and %d", have.ReadQueues, have.WriteQueues, want.ReadQueues, want.WriteQueues)
	case messageType(have) != messageType(want):
		return fmt.Sprintf("message type %s, wanted is %s", messageType(have), messageType(want))
	case have.Perm&permRead == 0:
		return fmt.Sprintf("permission %d, which doesn't allow reading", have.Perm)
	case have.SysFlag != want.SysFlag:
		return fmt.Sprintf("system flag %d, wanted is %d", have.SysFlag, want.SysFlag)
	}
	return ""
}

func messageType(config rocketmq.TopicConfig) plan.MessageType {
	if kind := config.Attributes[typeAttribute]; kind != "" {
		return plan.MessageType(kind)
	}
	return plan.TypeNormal
}

// desiredGroup is the group as it should be on every target broker: all its settings, and closed, so that nobody reads
// there before the positions are written.
func desiredGroup(source map[string]rocketmq.Group) rocketmq.Group {
	group := source[sortedKeys(source)[0]]
	group.ConsumeEnable = false
	return group
}

// missingGroup lists the brokers that lack the group, or says in what an existing one differs. Whether it is open isn't
// compared: groups open as they move.
func missingGroup(name string, want rocketmq.Group, have map[string]rocketmq.Group, targetBrokers []string) ([]string, *Finding) {
	var missing []string
	for _, broker := range targetBrokers {
		found, there := have[broker]
		if !there {
			missing = append(missing, broker)
			continue
		}
		if difference := groupDifference(want, found); difference != "" {
			return nil, conflictFinding("group "+name, fmt.Sprintf("exists on target broker %s with %s", broker, difference))
		}
	}
	return missing, nil
}

func groupDifference(want, have rocketmq.Group) string {
	settings := []struct {
		name       string
		want, have any
	}{
		{"consumeFromMinEnable", want.FromMinEnable, have.FromMinEnable},
		{"consumeBroadcastEnable", want.BroadcastEnable, have.BroadcastEnable},
		{"retryQueueNums", want.RetryQueues, have.RetryQueues},
		{"retryMaxTimes", want.RetryMaxTimes, have.RetryMaxTimes},
		{"whichBrokerWhenConsumeSlowly", want.WhichBrokerWhenSlow, have.WhichBrokerWhenSlow},
		{"notifyConsumerIdsChangedEnable", want.NotifyChanged, have.NotifyChanged},
	}
	for _, s := range settings {
		if s.want != s.have {
			return fmt.Sprintf("%s=%v, wanted is %v", s.name, s.have, s.want)
		}
	}
	return ""
}

func conflictFinding(object, cause string) *Finding {
	return &Finding{
		Refusal: true, Object: object, Cause: cause,
		Next: "delete or change it on the target, or exclude it from the plan; rocketshift never overwrites it",
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
