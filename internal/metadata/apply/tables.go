package apply

import (
	"cmp"
	"maps"

	"rocketshift/internal/clusters"
	applied "rocketshift/internal/clusters/metadata"
	"rocketshift/internal/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// everyBroker stands for the brokers of a model that tells sums of queues alone.
const everyBroker = "all"

// tablesOf are a model's topics, groups and keys as a cluster would tell them.
func tablesOf(c metadata.Cluster) (t applied.Tables, err error) {
	t = applied.Tables{
		Topics: clusters.TopicTable{}, Groups: clusters.GroupTable{}, KV: map[string]map[string]string{},
	}
	for _, b := range c.Brokers {
		t.Brokers = append(t.Brokers, rocketmq.Broker{Name: b.Name, Cluster: b.Cluster, Version: b.Version})
	}
	if len(t.Brokers) == 0 {
		t.Brokers = []rocketmq.Broker{{Name: everyBroker}}
	}
	for _, topic := range c.Topics {
		queues := topic.Queues
		if len(queues) == 0 && topic.Sum != nil {
			queues = []metadata.Queues{*topic.Sum}
		}
		for _, q := range queues {
			t.Topics.Add(cmp.Or(q.Broker, everyBroker), map[string]rocketmq.TopicConfig{topic.Name: configOf(topic, q)})
		}
	}
	for _, group := range c.Groups {
		settings, err := rocketmq.GroupOf(group.Name, settingsOf(group))
		if err != nil {
			return t, err
		}
		t.Groups[group.Name] = map[string]rocketmq.Group{everyBroker: settings}
	}
	for _, o := range c.Order {
		put(t.KV, metadata.OrderNamespace, o.Topic, o.Queues)
	}
	for _, kv := range c.KV {
		put(t.KV, kv.Namespace, kv.Key, kv.Value)
	}
	return t, nil
}

func put(kv map[string]map[string]string, namespace, key, value string) {
	if kv[namespace] == nil {
		kv[namespace] = map[string]string{}
	}
	kv[namespace][key] = value
}

func configOf(t metadata.Topic, q metadata.Queues) rocketmq.TopicConfig {
	config := rocketmq.TopicConfig{
		Name: t.Name, ReadQueues: q.Read, WriteQueues: q.Write,
		Perm: cmp.Or(q.Perm, rocketmq.PermRead|rocketmq.PermWrite), FilterType: t.Filter,
		Attributes: maps.Clone(t.Attributes),
	}
	if t.SysFlag != nil {
		config.SysFlag = *t.SysFlag
	}
	if t.Order != nil {
		config.Order = *t.Order
	}
	return config
}

// typesOf are the message types that a model tells.
func typesOf(c metadata.Cluster) (types map[string]plan.MessageType, ordered map[string]bool) {
	types, ordered = map[string]plan.MessageType{}, map[string]bool{}
	for _, t := range c.Topics {
		types[t.Name] = plan.MessageType(t.Type)
		ordered[t.Name] = t.Type == "FIFO"
	}
	return types, ordered
}

// settingsOf are a group's settings by their names on brokers, those that the model tells. What it
// doesn't tell is as brokers have it by default.
func settingsOf(g metadata.Group) map[string]any {
	s := map[string]any{
		"groupName": g.Name, "consumeEnable": true, "consumeFromMinEnable": true, "consumeBroadcastEnable": true,
		"notifyConsumerIdsChangedEnable": true, "retryQueueNums": 1, "retryMaxTimes": 16, "brokerId": 0,
		"whichBrokerWhenConsumeSlowly": 1,
	}
	set(s, "consumeEnable", g.Consume)
	set(s, "consumeFromMinEnable", g.FromMin)
	set(s, "consumeBroadcastEnable", g.Broadcast)
	set(s, "notifyConsumerIdsChangedEnable", g.Notify)
	set(s, "consumeMessageOrderly", g.Orderly)
	set(s, "retryQueueNums", g.Retry.Queues)
	set(s, "retryMaxTimes", g.Retry.MaxTimes)
	set(s, "brokerId", g.BrokerID)
	set(s, "whichBrokerWhenConsumeSlowly", g.SlowBroker)
	set(s, "consumeTimeoutMinute", g.TimeoutMinutes)
	set(s, "groupSysFlag", g.SysFlag)
	if len(g.Attributes) > 0 {
		s["attributes"] = maps.Clone(g.Attributes)
	}
	if policy := retryOf(g.Retry); policy != nil {
		s["groupRetryPolicy"] = policy
	}
	return s
}

func set[T any](settings map[string]any, name string, value *T) {
	if value != nil {
		settings[name] = *value
	}
}

// retryOf is a retry policy as brokers have it (GroupRetryPolicy of 5.x); nil for that of brokers.
func retryOf(r metadata.Retry) map[string]any {
	switch r.Policy {
	case metadata.RetryExponential:
		of := map[string]any{}
		set(of, "initial", r.Initial)
		set(of, "max", r.Max)
		set(of, "multiplier", r.Multiplier)
		return map[string]any{"type": "EXPONENTIAL", "exponentialRetryPolicy": of}
	case metadata.RetryCustomized, metadata.RetryFixed: // one time is the same each time
		return map[string]any{"type": "CUSTOMIZED", "customizedRetryPolicy": map[string]any{"next": r.Milliseconds}}
	case metadata.RetryDefault:
	}
	return nil
}

// notCarried says what of a model no broker takes.
func notCarried(c metadata.Cluster) (gaps metadata.Gaps) {
	for _, t := range c.Topics {
		if len(t.Queues) == 0 && t.Sum != nil {
			gaps.Add("queues by broker", "the model has sums alone: they are spread over the target's brokers", t.Name)
		}
		if len(t.Queues) == 0 && t.Sum == nil {
			gaps.Add("topics without queues", "the model says no number of queues: they aren't applied", t.Name)
		}
	}
	for _, g := range c.Groups {
		if g.Retry.DeadLetterTopic != "" {
			gaps.Add("dead-letter topics", "brokers put dead letters into %DLQ% and the group's name alone", g.Name)
		}
		if g.Protocol != "" {
			gaps.Add("protocols of groups", "brokers know none", g.Name)
		}
	}
	if len(c.Subscriptions) > 0 {
		gaps.Add("subscriptions", "members bring them to the brokers when they connect")
	}
	return gaps
}
