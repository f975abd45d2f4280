package rocketmq

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// Group is a consumer group's settings on one broker (SubscriptionGroupConfig).
type Group struct {
	Name                string
	ConsumeEnable       bool // false: brokers refuse every pull of the group, while commits still work
	FromMinEnable       bool
	BroadcastEnable     bool
	Orderly             bool // 5.x only
	RetryQueues         int
	RetryMaxTimes       int
	BrokerID            int64
	WhichBrokerWhenSlow int64
	NotifyChanged       bool

	extra map[string]any // unknown settings, which a full replace must not lose
}

// Groups lists all groups of a broker, built-in ones included.
func (c *Client) Groups(ctx context.Context, addr string) (map[string]Group, error) {
	o, err := c.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeGroups}, "")
	if err != nil {
		return nil, err
	}
	out := map[string]Group{}
	for _, entry := range o.Object("subscriptionGroupTable") {
		g, _ := entry.Value.(remoting.Object)
		if name, known := c.options.Renames.groupHere(remoting.TextOf(entry.Key)); known {
			out[name] = readGroup(name, g)
		}
	}
	return out, nil
}

func readGroup(name string, o remoting.Object) Group {
	g := Group{
		Name: name, ConsumeEnable: o.Flag("consumeEnable", true),
		FromMinEnable:   o.Flag("consumeFromMinEnable", true),
		BroadcastEnable: o.Flag("consumeBroadcastEnable", true),
		Orderly:         o.Flag("consumeMessageOrderly", false), RetryQueues: int(o.Number("retryQueueNums")),
		RetryMaxTimes: int(o.Number("retryMaxTimes")), BrokerID: o.Number("brokerId"),
		WhichBrokerWhenSlow: o.Number("whichBrokerWhenConsumeSlowly"),
		NotifyChanged:       o.Flag("notifyConsumerIdsChangedEnable", true), extra: map[string]any{},
	}
	known := g.fields()
	for _, m := range o {
		if key := remoting.TextOf(m.Key); known[key] == nil {
			g.extra[key] = remoting.PlainJSON(m.Value)
		}
	}
	return g
}

// fields are the settings by their JSON names. Orderly is written only where it is set: 4.x does
// not know it.
func (g Group) fields() map[string]any {
	out := map[string]any{
		"groupName": g.Name, "consumeEnable": g.ConsumeEnable, "consumeFromMinEnable": g.FromMinEnable,
		"consumeBroadcastEnable": g.BroadcastEnable, "retryQueueNums": g.RetryQueues,
		"retryMaxTimes": g.RetryMaxTimes, "brokerId": g.BrokerID,
		"whichBrokerWhenConsumeSlowly":   g.WhichBrokerWhenSlow,
		"notifyConsumerIdsChangedEnable": g.NotifyChanged,
	}
	if g.Orderly || g.extra == nil {
		out["consumeMessageOrderly"] = g.Orderly
	}
	return out
}

// PutGroup creates a group or replaces its settings. A Group that Groups returned keeps the
// settings that this package doesn't know.
func (c *Client) PutGroup(ctx context.Context, addr string, g Group) error {
	fields := maps.Clone(g.extra)
	if fields == nil {
		fields = map[string]any{}
	}
	maps.Copy(fields, g.fields())
	fields["groupName"] = c.options.Renames.Group(g.Name)
	body, err := json.Marshal(fields)
	if err != nil {
		return fmt.Errorf("group %s: %w", g.Name, err)
	}
	_, err = c.ask(ctx, addr, &remoting.Command{Code: remoting.CodePutGroup, Body: body}, g.Name)
	return err
}

// systemGroups are RocketMQ's own (MixAll, 4.9.7 and 5.3.3).
var systemGroups = []string{
	"TOOLS_CONSUMER", "FILTERSRV_CONSUMER", "SELF_TEST_C_GROUP", "SELF_TEST_P_GROUP", "CID_RMQ_SYS_TRANS",
	"CID_ONS-HTTP-PROXY", "__MONITOR_CONSUMER", "DEFAULT_CONSUMER", "CLIENT_INNER_PRODUCER",
	"CID_DefaultHeartBeatSyncerTopic",
}

// SystemGroup reports whether a group is RocketMQ's own.
func SystemGroup(name string) bool {
	return slices.Contains(systemGroups, name) || strings.HasPrefix(name, "CID_ONSAPI_") ||
		strings.HasPrefix(name, "CID_RMQ_SYS_")
}
