package rocketmq

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// TopicGroup keys the positions of a group on a topic.
type TopicGroup struct{ Topic, Group string }

// AllOffsets exports every committed position of a broker, by queue. Entries of other kinds
// (three-part keys) are left out.
func (c *Client) AllOffsets(ctx context.Context, addr string) (map[TopicGroup]map[int]int64, error) {
	o, err := c.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeAllOffsets}, "")
	if err != nil {
		return nil, err
	}
	out := map[TopicGroup]map[int]int64{}
	for _, entry := range o.Object("offsetTable") {
		parts := strings.Split(remoting.TextOf(entry.Key), "@")
		queues, _ := entry.Value.(remoting.Object)
		if len(parts) != 2 {
			continue
		}
		topic, knownTopic := c.options.Renames.topicHere(parts[0])
		group, knownGroup := c.options.Renames.groupHere(parts[1])
		if knownTopic && knownGroup {
			out[TopicGroup{Topic: topic, Group: group}] = queues.Numbers()
		}
	}
	return out, nil
}

// QueryOffset reads a group's position on a queue; false means that there is none. On 4.x a queue
// whose first message is still in memory answers 0 for an unknown group: AllOffsets tells the two
// apart.
func (c *Client) QueryOffset(ctx context.Context, addr, group, topic string, queue int) (int64, bool, error) {
	got, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeQueryOffset, Fields: map[string]string{
		"consumerGroup": group, "topic": topic, "queueId": strconv.Itoa(queue), "setZeroIfNotFound": "false",
	}}, offsetObject(group, topic, queue), remoting.QueryNotFound)
	if err != nil || got.Code == remoting.QueryNotFound {
		return 0, false, err
	}
	n, err := offsetField(addr, got)
	return n, err == nil, err
}

// UpdateOffset writes a group's position, unconditionally. Read it back: brokers answer success to
// some writes that they ignore. It writes the positions of a group on a topic one after another: of
// two first ones at the same moment, brokers lose one.
func (c *Client) UpdateOffset(ctx context.Context, addr, group, topic string, queue int, offset int64) error {
	object := offsetObject(group, topic, queue)
	done, err := c.commits.take(ctx, addr, topic+"@"+group)
	if err != nil {
		return err
	}
	defer done()
	got, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeUpdateOffset, Fields: map[string]string{
		"consumerGroup": group, "topic": topic, "queueId": strconv.Itoa(queue),
		"commitOffset": strconv.FormatInt(offset, 10),
	}}, object)
	if err != nil {
		return err
	}
	if strings.Contains(got.Remark, "has been previously reset") {
		return fmt.Errorf("%s: UPDATE_CONSUMER_OFFSET %s: not stored, a reset of this position is pending: "+
			"it ends with the group's next pull of the queue", addr, object)
	}
	return nil
}

func offsetObject(group, topic string, queue int) string {
	return fmt.Sprintf("group %s, %s queue %d", group, topic, queue)
}

func offsetField(addr string, got *remoting.Command) (int64, error) {
	n, err := strconv.ParseInt(got.Fields["offset"], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%s: the answer's offset %q is not a number", addr, got.Fields["offset"])
	}
	return n, nil
}

// MaxOffset is the position after the last message of a queue; 0 for an unknown topic. It may miss
// sends of the last milliseconds.
func (c *Client) MaxOffset(ctx context.Context, addr, topic string, queue int) (int64, error) {
	return c.queueOffset(ctx, remoting.CodeMaxOffset, addr, topic, queue)
}

// MinOffset is the position of the first message that a queue still holds; 0 for an unknown topic.
func (c *Client) MinOffset(ctx context.Context, addr, topic string, queue int) (int64, error) {
	return c.queueOffset(ctx, remoting.CodeMinOffset, addr, topic, queue)
}

func (c *Client) queueOffset(ctx context.Context, code int, addr, topic string, queue int) (int64, error) {
	got, err := c.ask(ctx, addr, &remoting.Command{Code: code, Fields: map[string]string{
		"topic": topic, "queueId": strconv.Itoa(queue),
	}}, fmt.Sprintf("%s queue %d", topic, queue))
	if err != nil {
		return 0, err
	}
	return offsetField(addr, got)
}

// TopicQueue keys a queue of a topic on a broker.
type TopicQueue struct {
	Topic, Broker string
	Queue         int
}

// QueueStats are a group's position and the end of the queue.
type QueueStats struct{ BrokerOffset, ConsumerOffset int64 }

// ConsumeStats lists a group's positions; a missing position shows as 0, and an unknown group as
// nothing.
func (c *Client) ConsumeStats(ctx context.Context, addr, group string) (map[TopicQueue]QueueStats, error) {
	o, err := c.askObject(ctx, addr,
		&remoting.Command{Code: remoting.CodeConsumeStats, Fields: map[string]string{"consumerGroup": group}},
		group)
	if err != nil {
		return nil, err
	}
	out := map[TopicQueue]QueueStats{}
	for _, entry := range o.Object("offsetTable") {
		key, _ := entry.Key.(remoting.Object)
		v, _ := entry.Value.(remoting.Object)
		if q, known := c.options.Renames.queueHere(key); known {
			out[q] = QueueStats{BrokerOffset: v.Number("brokerOffset"), ConsumerOffset: v.Number("consumerOffset")}
		}
	}
	return out, nil
}

func readQueue(o remoting.Object) TopicQueue {
	return TopicQueue{Topic: o.Text("topic"), Broker: o.Text("brokerName"), Queue: int(o.Number("queueId"))}
}

// DelayOffsets says how far each delay level of SCHEDULE_TOPIC_XXXX (queue level-1) was delivered;
// empty until a first delivery.
func (c *Client) DelayOffsets(ctx context.Context, addr string) (map[int]int64, error) {
	o, err := c.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeDelayOffsets}, "")
	if err != nil {
		return nil, err
	}
	return o.Object("offsetTable").Numbers(), nil
}
