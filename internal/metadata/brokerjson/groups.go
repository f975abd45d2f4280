package brokerjson

import (
	"fmt"
	"math"
	"strings"

	"rocketshift/internal/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Groups reads the subscriptionGroupTable of a document, and the subscriptions that settings of 5.x
// name. All groups are read, RocketMQ's own among them.
func Groups(
	of remoting.Object, broker string, gaps *metadata.Gaps,
) (all []metadata.Group, subscriptions []metadata.Subscription, err error) {
	var failed failure
	table := tableOf(of, "subscriptionGroupTable", &failed)
	for _, name := range table.names() {
		g, subscribed := group(name, table.inner(name), gaps)
		if broker != "" {
			g.Brokers = []string{broker}
		}
		all = append(all, g)
		subscriptions = append(subscriptions, subscribed...)
		if failed.err != nil {
			break
		}
	}
	return all, subscriptions, failed.err
}

func group(name string, o object, gaps *metadata.Gaps) (metadata.Group, []metadata.Subscription) {
	g := metadata.Group{
		Name: name, Consume: o.flag("consumeEnable"), FromMin: o.flag("consumeFromMinEnable"),
		Broadcast: o.flag("consumeBroadcastEnable"), Orderly: o.flag("consumeMessageOrderly"),
		Notify:         o.flag("notifyConsumerIdsChangedEnable"),
		BrokerID:       o.number("brokerId", -1, math.MaxInt64),
		SlowBroker:     o.number("whichBrokerWhenConsumeSlowly", -1, math.MaxInt64),
		TimeoutMinutes: o.small("consumeTimeoutMinute", 0, math.MaxInt32),
		SysFlag:        o.small("groupSysFlag", 0, math.MaxInt32), Attributes: o.texts("attributes"),
		Retry: metadata.Retry{
			MaxTimes: o.small("retryMaxTimes", -1, math.MaxInt32),
			Queues:   o.small("retryQueueNums", 0, 256*metadata.MostQueues),
		},
	}
	retryPolicy(o, &g.Retry)
	if said := o.text("groupName"); said != "" && said != name {
		o.failed.add(o.key("groupName"), "it is %q; want the name of its key", said)
	}
	subscribed := subscriptionSet(name, o)
	for _, key := range o.unread() {
		gaps.Add("setting "+key+" of groups", "this release doesn't know it", name)
	}
	return g, subscribed
}

// retryPolicy reads GroupRetryPolicy of 5.x. A customized one without own times is the default.
func retryPolicy(o object, into *metadata.Retry) {
	if o.members["groupRetryPolicy"] == nil {
		o.take("groupRetryPolicy")
		return
	}
	p := o.inner("groupRetryPolicy")
	switch kind := p.text("type"); kind {
	case "EXPONENTIAL":
		e := p.inner("exponentialRetryPolicy")
		into.Policy = metadata.RetryExponential
		into.Initial, into.Max = e.number("initial", 0, math.MaxInt64), e.number("max", 0, math.MaxInt64)
		into.Multiplier = e.number("multiplier", 0, math.MaxInt64)
	case "CUSTOMIZED", "":
		c := p.inner("customizedRetryPolicy")
		into.Policy = metadata.RetryDefault
		if next := c.list("next"); len(next) > 0 {
			into.Policy, into.Milliseconds = metadata.RetryCustomized, periods(c, next)
		}
	default:
		o.failed.add(p.key("type"), "it is %q; want EXPONENTIAL or CUSTOMIZED", kind)
	}
}

func periods(o object, list []any) (all []int64) {
	for i, v := range list {
		n, ok := remoting.NumberOf(v)
		if !ok || n < 0 {
			o.failed.add(fmt.Sprintf("%s[%d]", o.key("next"), i), "it is %s; want milliseconds", kindOf(v))
		}
		all = append(all, n)
	}
	return all
}

// subscriptionSet reads what a group's settings of 5.x say it subscribes to (SimpleSubscriptionData).
func subscriptionSet(group string, o object) (all []metadata.Subscription) {
	for i, v := range o.list("subscriptionDataSet") {
		s := open(fmt.Sprintf("%s[%d]", o.key("subscriptionDataSet"), i), v, o.failed)
		all = append(all, metadata.Subscription{
			Group: group, Topic: s.text("topic"), Type: s.text("expressionType"),
			Expression: s.text("expression"), Seen: metadata.SeenSettings,
		})
	}
	return all
}

// Positions reads which groups have positions on which topics (offsetTable), without the positions:
// they are evidence of subscriptions.
func Positions(of remoting.Object) ([]metadata.Subscription, error) {
	var failed failure
	table := tableOf(of, "offsetTable", &failed)
	var all []metadata.Subscription
	for _, key := range table.names() {
		open(table.key(key), table.members[key], &failed)
		topic, group, both := strings.Cut(key, "@")
		if !both || topic == "" || group == "" {
			failed.add(table.key(key), "want topic@group")
		}
		if failed.err != nil {
			return nil, failed.err
		}
		if !strings.Contains(group, "@") { // or it is of another kind, with three parts
			all = append(all, metadata.Subscription{Group: group, Topic: topic, Seen: metadata.SeenPositions})
		}
	}
	return all, failed.err
}

// System are the names that a cluster uses itself.
type System struct {
	Cluster string
	Brokers []string
}

// Strip takes RocketMQ's own topics and groups out of a model: also those for retries and dead
// letters, which brokers make for their groups.
func (s System) Strip(c *metadata.Cluster) {
	c.Topics = filter(c.Topics, func(t metadata.Topic) bool { return !s.topic(t.Name) })
	c.Groups = filter(c.Groups, func(g metadata.Group) bool { return !rocketmq.SystemGroup(g.Name) })
	c.Subscriptions = filter(c.Subscriptions, func(of metadata.Subscription) bool {
		return !s.topic(of.Topic) && !rocketmq.SystemGroup(of.Group)
	})
}

func (s System) topic(name string) bool {
	for _, begin := range []string{rocketmq.RetryTopic(""), rocketmq.DLQTopic("")} {
		if strings.HasPrefix(name, begin) {
			return true
		}
	}
	return rocketmq.SystemTopic(name, s.Cluster, s.Brokers)
}

func filter[T any](all []T, keep func(T) bool) (kept []T) {
	for _, one := range all {
		if keep(one) {
			kept = append(kept, one)
		}
	}
	return kept
}
