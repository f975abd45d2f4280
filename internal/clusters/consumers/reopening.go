package consumers

import (
	"context"
	"slices"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// NewReopening opens on a side what rocketshift closed there.
func NewReopening(
	ctx context.Context, c *clusters.One, p plan.Plan, brokers []rocketmq.Broker,
) (o Opening, err error) {
	o = Opening{One: c, Plan: p, Enable: true, Ours: true}
	if o.table, err = c.GroupTable(ctx, brokers); err != nil {
		return o, err
	}
	o.marks, err = ReadFences(ctx, c, p, brokers)
	return o, err
}

// Left are the groups that are fenced on the brokers that were gone: where moves may be under way,
// those that are open on all others. Unmarked ones are closed there alone.
func (o Opening) Left(gone []string, calm time.Duration) (groups, unmarked []string) {
	for _, name := range o.table.Selected(o.Plan) {
		fenced, closed, open, shut := false, false, false, false
		for broker, settings := range o.table[name] {
			switch {
			case !slices.Contains(gone, broker):
				open, shut = open || settings.ConsumeEnable, shut || !settings.ConsumeEnable
			case !settings.ConsumeEnable:
				fenced, closed = fenced || o.marks[name][broker] == MarkFenced, true
			}
		}
		alone := open && !shut
		switch {
		case fenced && (calm == 0 || alone):
			groups = append(groups, name)
		case closed && alone:
			unmarked = append(unmarked, name)
		}
	}
	return groups, unmarked
}

// Reopen opens a group on the brokers that were gone. Its mark there becomes that of the others. A
// move that has begun meanwhile has passed these brokers, as the group was closed there: then it is
// closed again.
func (o Opening) Reopen(
	ctx context.Context, brokers []rocketmq.Broker, gone []string, calm time.Duration, group string,
) error {
	var touched []rocketmq.Broker
	others := false // which carry a mark
	for _, b := range brokers {
		switch {
		case !slices.Contains(gone, b.Name):
			others = others || o.marks[group][b.Name] != 0
		case o.marks[group][b.Name] == MarkFenced:
			touched = append(touched, b)
		}
	}
	for _, b := range touched {
		if err := o.write(ctx, b, group); err != nil {
			return err
		}
	}
	var err error
	if o.table, err = o.GroupTable(ctx, brokers); err != nil {
		return err
	}
	for broker, settings := range o.table[group] {
		if calm > 0 && !slices.Contains(gone, broker) && !settings.ConsumeEnable {
			o.Enable = false
		}
	}
	for _, b := range touched {
		switch {
		case !o.Enable:
			err = o.write(ctx, b, group)
		case !others:
			err = writeMark(ctx, o.One, o.Plan, b, group, markNone)
		}
		if err != nil {
			return err
		}
	}
	return readBackOpen(ctx, o.One, brokers, map[string][]rocketmq.Broker{group: touched}, o.Enable)
}
