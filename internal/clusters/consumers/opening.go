package consumers

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Open opens or closes groups on the brokers of a side, and reads it back.
func Open(ctx context.Context, o Opening, brokers []rocketmq.Broker, groups []string) error {
	var missing, err error
	if !o.Enable {
		if err := o.Mastered(brokers); err != nil {
			return err
		}
	}
	if o.Enable {
		if brokers, missing = o.Answering(ctx, brokers); len(brokers) == 0 {
			return missing
		}
	}
	o.marks, o.partly = Fences{}, missing != nil
	if o.table, err = o.GroupTable(ctx, brokers); err != nil {
		return err
	}
	if o.Side == api.Source {
		if o.marks, err = ReadFences(ctx, o.One, o.Plan, brokers); err != nil {
			return err
		}
	}
	touched := map[string][]rocketmq.Broker{}
	for _, name := range groups {
		if len(o.table[name]) == 0 && !o.partly {
			return fault.Refused("group %s: no broker of the %s knows it: run Assess again", name, o.Side)
		}
		touched[name] = o.on(brokers, name)
		for _, b := range touched[name] {
			if err := o.write(ctx, b, name); err != nil {
				return err
			}
		}
	}
	if err := readBackOpen(ctx, o.One, brokers, touched, o.Enable); err != nil {
		return err
	}
	return missing
}

// Opening opens or closes groups on the brokers of one side.
type Opening struct {
	*clusters.One
	Plan   plan.Plan
	table  clusters.GroupTable
	marks  Fences // of the source alone
	Enable bool
	Ours   bool // only what rocketshift closed is opened
	partly bool // some brokers don't answer
}

// on are the brokers on which a group is opened or closed. Where it carries no mark the caller
// knows that the fence is ours, unless the mark may be on a broker that doesn't answer.
func (o Opening) on(brokers []rocketmq.Broker, name string) []rocketmq.Broker {
	if o.Enable && o.Ours && (len(o.marks[name]) > 0 || o.partly) {
		return o.marks.among(brokers, name)
	}
	return brokers
}

// write writes one group on one broker. A broker that doesn't know the group gets it closed, or the
// next pull would create it open; there is nothing to open on such a broker. On the source the mark
// is there before the fence, and changes after it.
func (o Opening) write(ctx context.Context, b rocketmq.Broker, name string) error {
	known := o.table[name]
	group, there := known[b.Name]
	if !there {
		if o.Enable {
			return nil
		}
		group = known[clusters.SortedKeys(known)[0]]
	}
	if !there || group.ConsumeEnable != o.Enable {
		if !o.Enable && o.Side == api.Source {
			if err := writeMark(ctx, o.One, o.Plan, b, name, MarkFenced); err != nil {
				return err
			}
		}
		group.ConsumeEnable = o.Enable
		if err := o.Client().PutGroup(ctx, b.Addr, group); err != nil {
			return o.Explain(ctx, err)
		}
	}
	if o.Enable && o.marks[name][b.Name] == MarkFenced {
		return writeMark(ctx, o.One, o.Plan, b, name, markOpened)
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
