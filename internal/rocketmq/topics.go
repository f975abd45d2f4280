package rocketmq

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/rocketmq/remoting"
)

// Permissions of a topic (PermName).
const (
	PermRead  = 4
	PermWrite = 2
)

// TypeAttribute is where 5.x brokers keep a topic's message type; without it a topic is NORMAL.
const TypeAttribute = "message.type"

// TopicConfig is a topic's settings on one broker.
type TopicConfig struct {
	Name                          string
	ReadQueues, WriteQueues, Perm int
	FilterType                    string // SINGLE_TAG or MULTI_TAG
	SysFlag                       int
	Order                         bool
	Attributes                    map[string]string // 5.x: message.type and others, without the leading +
}

// Queues is how many queues the broker has of the topic: it stores messages in all of them, whether
// it shows them to clients or not.
func (t TopicConfig) Queues() int { return max(0, t.ReadQueues, t.WriteQueues) }

// Writable is how many of these the broker shows to producers: the first ones, or none.
func (t TopicConfig) Writable() int {
	if t.Perm&PermWrite == 0 {
		return 0
	}
	return max(0, t.WriteQueues)
}

// TopicConfigs lists all topics of a broker, system topics included.
func (c *Client) TopicConfigs(ctx context.Context, addr string) (map[string]TopicConfig, error) {
	o, err := c.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeTopicConfigs}, "")
	if err != nil {
		return nil, err
	}
	out := map[string]TopicConfig{}
	for _, entry := range o.Object("topicConfigTable") {
		name, known := c.options.Renames.topicHere(remoting.TextOf(entry.Key))
		if !known {
			continue
		}
		t, _ := entry.Value.(remoting.Object)
		out[name] = TopicConfig{
			Name: name, ReadQueues: int(t.Number("readQueueNums")), WriteQueues: int(t.Number("writeQueueNums")),
			Perm: int(t.Number("perm")), FilterType: t.Text("topicFilterType"), SysFlag: int(t.Number("topicSysFlag")),
			Order: t.Flag("order", false), Attributes: t.Object("attributes").Texts(),
		}
	}
	return out, nil
}

// CreateTopic creates a topic or replaces its settings. Attributes are added or changed, never
// removed.
func (c *Client) CreateTopic(ctx context.Context, addr string, t TopicConfig) error {
	fields := map[string]string{
		"topic": t.Name, "defaultTopic": "TBW102", "readQueueNums": strconv.Itoa(t.ReadQueues),
		"writeQueueNums": strconv.Itoa(t.WriteQueues), "perm": strconv.Itoa(t.Perm),
		"topicFilterType": cmp.Or(t.FilterType, singleTag), "topicSysFlag": strconv.Itoa(t.SysFlag),
		"order": strconv.FormatBool(t.Order),
	}
	var attributes []string
	for name, value := range added(t.Attributes) {
		attributes = append(attributes, name+"="+value)
	}
	if slices.Sort(attributes); len(attributes) > 0 {
		fields["attributes"] = strings.Join(attributes, ",")
	}
	_, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeCreateTopic, Fields: fields}, t.Name)
	return err
}

// CreateTopics is CreateTopic for many topics in one call, which brokers know from 5.3 on; others
// answer with the code NotSupported. Brokers up to 5.5.0 stop with success at the first topic that
// is already as it is wanted, and refuse all for one name that they don't take: a caller sends
// those alone that differ, and reads back what there is.
func (c *Client) CreateTopics(ctx context.Context, addr string, topics []TopicConfig) error {
	list := make([]map[string]any, len(topics))
	for i, t := range topics {
		list[i] = map[string]any{
			"topicName": c.options.Renames.Topic(t.Name), "readQueueNums": t.ReadQueues,
			"writeQueueNums": t.WriteQueues, "perm": t.Perm, "topicSysFlag": t.SysFlag, "order": t.Order,
			"topicFilterType": cmp.Or(t.FilterType, singleTag), "attributes": added(t.Attributes),
		}
	}
	body, err := json.Marshal(map[string]any{"topicConfigList": list})
	if err != nil {
		return fmt.Errorf("%d topics: %w", len(topics), err)
	}
	_, err = c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeCreateTopics, Body: body},
		fmt.Sprintf("of %d topics", len(topics)))
	return err
}

const singleTag = "SINGLE_TAG"

// added are attributes as brokers take them: to be added or changed.
func added(attributes map[string]string) map[string]string {
	all := map[string]string{}
	for name, value := range attributes {
		all["+"+name] = value
	}
	return all
}

// DeleteTopic deletes a topic on a broker. 4.x keeps its consumer offsets: a topic made again
// starts with the old ones. Tests of several packages use it; nothing that migrates deletes topics.
func (c *Client) DeleteTopic(ctx context.Context, addr, topic string) error {
	_, err := c.ask(ctx, addr,
		&remoting.Command{Code: remoting.CodeDeleteTopic, Fields: map[string]string{"topic": topic}}, topic)
	return err
}

// QueueRange says that a queue holds [Min, Max).
type QueueRange struct {
	Min, Max   int64
	LastUpdate time.Time // zero when the queue is empty
}

// TopicStats lists the ranges of a topic's queues on one broker: those that producers see, and on
// 5.x the others, too. An unknown topic is an Error with code TopicNotExist.
func (c *Client) TopicStats(ctx context.Context, addr, topic string) (map[int]QueueRange, error) {
	o, err := c.askObject(ctx, addr,
		&remoting.Command{Code: remoting.CodeTopicStats, Fields: map[string]string{"topic": topic}}, topic)
	if err != nil {
		return nil, err
	}
	out := map[int]QueueRange{}
	for _, entry := range o.Object("offsetTable") {
		key, _ := entry.Key.(remoting.Object)
		v, _ := entry.Value.(remoting.Object)
		r := QueueRange{Min: v.Number("minOffset"), Max: v.Number("maxOffset")}
		if ms := v.Number("lastUpdateTimestamp"); ms > 0 {
			r.LastUpdate = time.UnixMilli(ms)
		}
		out[int(key.Number("queueId"))] = r
	}
	return out, nil
}

// Ranges lists the ranges of all queues of a topic on one broker; queues is how many it has.
// Brokers before 5.x list only those that producers see; the others are asked for one by one, and
// their LastUpdate is zero.
func (c *Client) Ranges(ctx context.Context, addr, topic string, queues int) (map[int]QueueRange, error) {
	all, err := c.TopicStats(ctx, addr, topic)
	if err != nil {
		return nil, err
	}
	for id := range queues {
		if _, listed := all[id]; listed {
			continue
		}
		first, err := c.MinOffset(ctx, addr, topic, id)
		if err != nil {
			return nil, err
		}
		end, err := c.MaxOffset(ctx, addr, topic, id)
		if err != nil {
			return nil, err
		}
		all[id] = QueueRange{Min: max(0, first), Max: max(0, end)}
	}
	return all, nil
}

// systemTopics are RocketMQ's own (TopicValidator, 4.9.7 and 5.3.3).
var systemTopics = []string{
	"TBW102", "SCHEDULE_TOPIC_XXXX", "BenchmarkTest", "RMQ_SYS_TRANS_HALF_TOPIC", "RMQ_SYS_TRANS_OP_HALF_TOPIC",
	"TRANS_CHECK_MAX_TIME_TOPIC", "RMQ_SYS_TRACE_TOPIC", "SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT",
	"DefaultHeartBeatSyncerTopic",
}

// SystemTopic reports whether a topic is RocketMQ's own, in a cluster with these brokers. Retry and
// dead-letter topics are not.
func SystemTopic(name, cluster string, brokers []string) bool {
	return slices.Contains(systemTopics, name) || strings.HasPrefix(name, "rmq_sys_") || name == ReplyTopic(cluster) ||
		name == cluster || slices.Contains(brokers, name)
}

// RetryTopic is where a group's failed messages wait for another try.
func RetryTopic(group string) string { return retryPrefix + group }

const retryPrefix = "%RETRY%"

// RetryGroup is the group whose retry topic it is, if it is one.
func RetryGroup(topic string) (group string, retry bool) {
	return strings.CutPrefix(topic, retryPrefix)
}

// ReplyTopic is where a cluster's brokers keep answers to requests (MixAll.REPLY_TOPIC_POSTFIX).
func ReplyTopic(cluster string) string { return cluster + replyEnd }

const replyEnd = "_REPLY_TOPIC"

// ReplyCluster is the cluster whose reply topic it is, if it is one.
func ReplyCluster(topic string) (cluster string, reply bool) {
	return strings.CutSuffix(topic, replyEnd)
}

// DLQTopic is where brokers put a group's messages that failed too often.
func DLQTopic(group string) string { return dlqPrefix + group }

const dlqPrefix = "%DLQ%"
