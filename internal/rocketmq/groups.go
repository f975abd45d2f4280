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

// orderly is the setting of 5.x by which a group's messages are read in their order.
const orderly = "consumeMessageOrderly"

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
		Orderly:         o.Flag(orderly, false), RetryQueues: int(o.Number("retryQueueNums")),
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
		out[orderly] = g.Orderly
	}
	return out
}

// PutGroup creates a group or replaces its settings. A Group that Groups returned keeps the
// settings that this package doesn't know.
func (c *Client) PutGroup(ctx context.Context, addr string, g Group) error {
	body, err := json.Marshal(c.groupThere(g))
	if err != nil {
		return fmt.Errorf("group %s: %w", g.Name, err)
	}
	_, err = c.ask(ctx, addr, &remoting.Command{Code: remoting.CodePutGroup, Body: body}, g.Name)
	return err
}

// groupThere are the settings as the cluster's brokers take them.
func (c *Client) groupThere(g Group) map[string]any {
	fields := g.Settings()
	fields["groupName"] = c.options.Renames.Group(g.Name)
	return fields
}

// PutGroups is PutGroup for many groups in one call, which brokers know from 5.3 on; others answer
// with the code NotSupported. 5.5.0 refuses all for one name that it doesn't take.
func (c *Client) PutGroups(ctx context.Context, addr string, groups []Group) error {
	list := make([]map[string]any, len(groups))
	for i, g := range groups {
		list[i] = c.groupThere(g)
	}
	body, err := json.Marshal(map[string]any{"groupConfigList": list})
	if err != nil {
		return fmt.Errorf("%d groups: %w", len(groups), err)
	}
	_, err = c.ask(ctx, addr, &remoting.Command{Code: remoting.CodePutGroups, Body: body},
		fmt.Sprintf("of %d groups", len(groups)))
	return err
}

// Settings are all settings of the group by their JSON names, those of 5.x that this package
// doesn't know among them.
func (g Group) Settings() map[string]any {
	all := maps.Clone(g.extra)
	if all == nil {
		all = map[string]any{}
	}
	maps.Copy(all, g.fields())
	return all
}

// Over is the group with the settings that another one has and this one doesn't know, and open or
// closed as that one is: what replaces it.
func (g Group) Over(other Group) Group {
	g.extra = maps.Clone(g.extra)
	if g.extra == nil {
		g.extra = map[string]any{}
	}
	for name, value := range other.extra {
		if _, has := g.extra[name]; !has {
			g.extra[name] = value
		}
	}
	if !g.TellsOrderly() {
		g.Orderly = other.Orderly
	}
	g.ConsumeEnable, g.BrokerID = other.ConsumeEnable, other.BrokerID
	return g
}

// TellsOrderly reports whether the group's settings say whether it is orderly: those of 5.x do.
func (g Group) TellsOrderly() bool {
	_, told := g.Settings()[orderly]
	return told
}

// GroupOf is the group with these settings, by their JSON names.
func GroupOf(name string, settings map[string]any) (Group, error) {
	body, err := json.Marshal(settings)
	if err != nil {
		return Group{}, fmt.Errorf("group %s: %w", name, err)
	}
	o, err := remoting.ParseObject(body)
	if err != nil {
		return Group{}, fmt.Errorf("group %s: %w", name, err)
	}
	return readGroup(name, o), nil
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
