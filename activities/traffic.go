package activities

import (
	"context"
	"math"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Traffic moves groups and producers without a gateway: brokers close what must not be read or
// written, and the release pipeline re-points applications.
type Traffic struct{ settings Settings }

// NewTraffic returns the activities of Shift.
func NewTraffic(s Settings) *Traffic { return &Traffic{s.withDefaults()} }

// Fence closes groups on every broker of a side: pulls are refused from now on, positions can still
// be committed.
func (t *Traffic) Fence(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	return t.open(ctx, r, false)
}

// Unfence opens groups on every broker of a side. It doesn't wait for one that is down to open them
// on the others; then its error is about that one.
func (t *Traffic) Unfence(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	return t.open(ctx, r, true)
}

// open sets and reads back whether groups may consume. Only what differs is written, with all other
// settings as they are.
func (t *Traffic) open(ctx context.Context, r GroupsRequest, enable bool) error {
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	// which opens and closes no group: only the gateway leads anybody there before the end phase
	if err != nil || c.Proxy() != "" {
		return err
	}
	var missing error
	if !enable {
		if err := c.Mastered(brokers); err != nil {
			return err
		}
	}
	if enable {
		if brokers, missing = c.Answering(ctx, brokers); len(brokers) == 0 {
			return missing
		}
	}
	o := opening{
		One: c, plan: r.Plan.WithDefaults(), marks: fences{}, enable: enable, ours: r.Ours,
		partly: missing != nil,
	}
	if o.table, err = c.GroupTable(ctx, brokers); err != nil {
		return err
	}
	if r.Side == api.Source {
		if o.marks, err = readFences(ctx, c, o.plan, brokers); err != nil {
			return err
		}
	}
	touched := map[string][]rocketmq.Broker{}
	for _, name := range groups {
		if len(o.table[name]) == 0 && !o.partly {
			return fault.Refused("group %s: no broker of the %s knows it: run Assess again", name, c.Side)
		}
		touched[name] = o.on(brokers, name)
		for _, b := range touched[name] {
			if err := o.write(ctx, b, name); err != nil {
				return err
			}
		}
	}
	if err := readBackOpen(ctx, c, brokers, touched, enable); err != nil {
		return err
	}
	return missing
}

// opening opens or closes groups on the brokers of one side.
type opening struct {
	*clusters.One
	plan   plan.Plan
	table  clusters.GroupTable
	marks  fences // of the source alone
	enable bool
	ours   bool // only what rocketshift closed is opened
	partly bool // some brokers don't answer
}

// on are the brokers on which a group is opened or closed. Where it carries no mark the caller
// knows that the fence is ours, unless the mark may be on a broker that doesn't answer.
func (o opening) on(brokers []rocketmq.Broker, name string) []rocketmq.Broker {
	if o.enable && o.ours && (len(o.marks[name]) > 0 || o.partly) {
		return o.marks.among(brokers, name)
	}
	return brokers
}

// among are the brokers that carry a mark of the group's fence.
func (m fences) among(brokers []rocketmq.Broker, group string) []rocketmq.Broker {
	return slices.DeleteFunc(slices.Clone(brokers),
		func(b rocketmq.Broker) bool { return m[group][b.Name] == 0 })
}

// write writes one group on one broker. A broker that doesn't know the group gets it closed, or the
// next pull would create it open; there is nothing to open on such a broker. On the source the mark
// is there before the fence, and changes after it.
func (o opening) write(ctx context.Context, b rocketmq.Broker, name string) error {
	known := o.table[name]
	group, there := known[b.Name]
	if !there {
		if o.enable {
			return nil
		}
		group = known[clusters.SortedKeys(known)[0]]
	}
	if !there || group.ConsumeEnable != o.enable {
		if !o.enable && o.Side == api.Source {
			if err := writeMark(ctx, o.One, o.plan, b, name, markFenced); err != nil {
				return err
			}
		}
		group.ConsumeEnable = o.enable
		if err := o.Client().PutGroup(ctx, b.Addr, group); err != nil {
			return o.Explain(ctx, err)
		}
	}
	if o.enable && o.marks[name][b.Name] == markFenced {
		return writeMark(ctx, o.One, o.plan, b, name, markOpened)
	}
	return nil
}

// readBackOpen reads back what was written, on the brokers of each group.
func readBackOpen(
	ctx context.Context, c *clusters.One, brokers []rocketmq.Broker, touched map[string][]rocketmq.Broker, enable bool,
) error {
	table, err := c.GroupTable(ctx, brokers)
	if err != nil {
		return err
	}
	for _, name := range clusters.SortedKeys(touched) {
		for _, b := range touched[name] {
			if group, there := table[name][b.Name]; there && group.ConsumeEnable != enable {
				return fault.NotTaken(
					"group %s on %s broker %s: consumeEnable=%t was acknowledged and isn't there when read back",
					name, c.Side, b.Name, enable,
				)
			}
		}
	}
	return nil
}

// CloseTopics makes topics read-only on a side: stock producers find no queue to write to, lanes
// still write.
func (t *Traffic) CloseTopics(ctx context.Context, r TopicsRequest) (err error) {
	defer explained(&err)
	return t.permit(ctx, r, func(perm int) int { return perm &^ rocketmq.PermWrite })
}

// OpenTopics makes topics writable on a side.
func (t *Traffic) OpenTopics(ctx context.Context, r TopicsRequest) (err error) {
	defer explained(&err)
	return t.permit(ctx, r, func(perm int) int { return perm | rocketmq.PermRead | rocketmq.PermWrite })
}

// permit changes and reads back the permission of topics. Only what differs is written; attributes
// stay as they are.
func (t *Traffic) permit(ctx context.Context, r TopicsRequest, change func(int) int) error {
	topics, err := lists.Resolve(ctx, t.settings.Store, r.Topics)
	if err != nil {
		return err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil || c.Proxy() != "" { // which opens and closes no topic
		return err
	}
	if err := c.Mastered(brokers); err != nil {
		return err
	}
	table, err := c.TopicTable(ctx, brokers, nil)
	if err != nil {
		return err
	}
	addr := clusters.AddressesOf(brokers)
	for _, name := range topics {
		if len(table[name]) == 0 {
			return fault.Refused("topic %s: no broker of the %s has it: run ImportMetadata to compare", name, c.Side)
		}
		for _, broker := range clusters.SortedKeys(table[name]) {
			config := table[name][broker]
			if config.Perm == change(config.Perm) {
				continue
			}
			config.Perm, config.Attributes = change(config.Perm), nil
			if err := c.Client().CreateTopic(ctx, addr[broker], config); err != nil {
				return c.Explain(ctx, err)
			}
		}
	}
	return readBackPermission(ctx, c, brokers, topics, change)
}

func readBackPermission(
	ctx context.Context, c *clusters.One,
	brokers []rocketmq.Broker,
	names []string,
	change func(int) int,
) error {
	table, err := c.TopicTable(ctx, brokers, nil)
	if err != nil {
		return err
	}
	for _, name := range names {
		for _, broker := range clusters.SortedKeys(table[name]) {
			if perm := table[name][broker].Perm; perm != change(perm) {
				return fault.NotTaken("topic %s on %s broker %s: permission %d was acknowledged and reads back as %d",
					name, c.Side, broker, change(perm), perm)
			}
		}
	}
	return nil
}

// groups are those of the request, without the ones that are left alone.
func (s Settings) groups(ctx context.Context, r GroupsRequest) ([]string, error) {
	groups, err := lists.Resolve(ctx, s.Store, r.Groups)
	if err != nil || len(r.But) == 0 {
		return groups, err
	}
	but := map[string]bool{}
	for _, name := range r.But {
		but[name] = true
	}
	return slices.DeleteFunc(slices.Clone(groups), func(name string) bool { return but[name] }), nil
}

// among are the names that are in the other list too.
func among(names, others []string) []string {
	there := map[string]bool{}
	for _, name := range others {
		there[name] = true
	}
	return slices.DeleteFunc(names, func(name string) bool { return !there[name] })
}

// fewOf is how many rows of a result are told that only people read.
func fewOf(r Request) int {
	if r.Bounded {
		return 20 // as many as a page of the Web UI shows
	}
	return math.MaxInt
}
