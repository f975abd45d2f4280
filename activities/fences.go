package activities

import (
	"context"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// A person may have closed a group of the source before the migration. So a fence of rocketshift
// carries a mark, which is written before the group is closed and outlives every workflow: Rollback
// opens what carries it, and nothing else.
//
// The mark of a group on a broker is a position of a consumer group of the migration's own, on
// queue 0 of the group's retry topic.

// fenceSuffix makes that consumer group of the lanes' one.
const fenceSuffix = "-fenced"

// Marks lie beyond every queue: brokers forget positions that lie before a queue's first message.
const (
	markNone   = 0
	markFenced = 1 << 50
	// markOpened says that the group is open on the source again, and that the target isn't as it
	// was yet.
	markOpened = markFenced + 1
)

func fenceGroup(p plan.Plan) string { return p.LaneGroup() + fenceSuffix }

// fences are the marks of rocketshift's fences, by group and broker name. Where there is none,
// there is no entry.
type fences map[string]map[string]int64

// readFences reads the marks on all brokers of a side.
func readFences(
	ctx context.Context, c *clusters.One, p plan.Plan, brokers []rocketmq.Broker,
) (fences, error) {
	all, err := c.Positions(ctx, brokers)
	if err != nil {
		return nil, err
	}
	return marksIn(all[fenceGroup(p)]), nil
}

// marksIn reads marks from the positions of the fences' consumer group.
func marksIn(of clusters.Committed) fences {
	marks := fences{}
	for topic, queues := range of {
		group, retry := strings.CutPrefix(topic, rocketmq.RetryTopic(""))
		for queue, at := range queues {
			if !retry || queue.ID != 0 || at < markFenced {
				continue
			}
			if marks[group] == nil {
				marks[group] = map[string]int64{}
			}
			marks[group][queue.Broker] = at
		}
	}
	return marks
}

// writeMark writes the mark of a group on a broker and reads it back. Where rocketshift may not write
// it, the migration's own record of what it moved has to do.
func writeMark(
	ctx context.Context, c *clusters.One, p plan.Plan, b rocketmq.Broker, group string, mark int64,
) error {
	topic := rocketmq.RetryTopic(group)
	err := c.Client().UpdateOffset(ctx, b.Addr, fenceGroup(p), topic, 0, mark)
	if remoting.CodeOf(err) == remoting.SubscriptionGroupGone {
		if err = c.Client().PutGroup(ctx, b.Addr, rocketmq.NewGroup(fenceGroup(p))); err == nil {
			err = c.Client().UpdateOffset(ctx, b.Addr, fenceGroup(p), topic, 0, mark)
		}
	}
	if remoting.Denied(err) || remoting.CodeOf(err) == remoting.SubscriptionGroupGone {
		return nil
	}
	if err != nil {
		return c.Explain(ctx, err)
	}
	got, _, err := c.Client().QueryOffset(ctx, b.Addr, fenceGroup(p), topic, 0)
	if err == nil && got != mark {
		return fault.NotTaken(
			"the mark of the fence of group %s on %s broker %s was acknowledged and reads back as %d", group,
			c.Side, b.Name, got,
		)
	}
	return c.Explain(ctx, err)
}

// whose sorts the closed groups of the source: those that rocketshift fenced, those that are open
// again while the target isn't as it was (opened), and those that somebody else closed everywhere.
// Recorded are groups that the migration has on record as fenced: they count where no group carries
// a mark, as fences of older releases don't.
func (m fences) whose(
	p plan.Plan, groups clusters.GroupTable, recorded []string,
) (fenced, opened, others []string) {
	names := groups.Selected(p)
	marked := m.any(names)
	for _, name := range names {
		ours := m.closed(name, groups[name]) || !marked && groups.Closed(name) &&
			slices.Contains(recorded, name)
		switch {
		case ours:
			fenced = append(fenced, name)
		case len(m[name]) > 0:
			opened = append(opened, name)
		case groups.All(name, false):
			others = append(others, name)
		}
	}
	return fenced, opened, others
}

// any reports whether one of the groups carries a mark.
func (m fences) any(names []string) bool {
	return slices.ContainsFunc(names, func(name string) bool { return len(m[name]) > 0 })
}

// closed reports whether a broker that carries the mark of the group's fence has the group closed.
func (m fences) closed(group string, on map[string]rocketmq.Group) bool {
	for broker, mark := range m[group] {
		if settings, there := on[broker]; there && mark == markFenced && !settings.ConsumeEnable {
			return true
		}
	}
	return false
}

// ClosedByOthers lists the groups of the request that are closed on the source and were not closed
// by the migration: they stay closed. All others are about to be opened on the target: it fails
// with RefusedType if that doesn't serve what their live members ask for, before anything is
// fenced.
func (t *Traffic) ClosedByOthers(ctx context.Context, r GroupsRequest) (_ []string, err error) {
	defer explained(&err)
	r.Side = api.Source
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return nil, err
	}
	c, brokers, err := t.settings.clusters().At(ctx, r.Plan, r.Side)
	if err != nil {
		return nil, err
	}
	table, err := c.GroupTable(ctx, brokers)
	if err != nil {
		return nil, err
	}
	marks, err := readFences(ctx, c, r.Plan.WithDefaults(), brokers)
	if err != nil {
		return nil, err
	}
	_, _, others := marks.whose(r.Plan.WithDefaults(), table, nil)
	closed := among(others, groups)
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	rest := slices.DeleteFunc(slices.Clone(groups),
		func(name string) bool { return slices.Contains(closed, name) })
	return closed, accepts(ctx, both, rest)
}

// Forget takes the marks away of groups that are open on the source and closed on the target again:
// nothing of them is ours any more.
func (b *Returns) Forget(ctx context.Context, r GroupsRequest) (err error) {
	defer explained(&err)
	groups, err := b.settings.groups(ctx, r)
	if err != nil {
		return err
	}
	c, brokers, err := b.settings.clusters().At(ctx, r.Plan, api.Source)
	if err != nil {
		return err
	}
	p := r.Plan.WithDefaults()
	marks, err := readFences(ctx, c, p, brokers)
	if err != nil {
		return err
	}
	table, err := c.GroupTable(ctx, brokers)
	if err != nil {
		return err
	}
	for _, group := range groups {
		if marks.closed(group, table[group]) { // a fence that stands keeps its mark
			continue
		}
		for _, broker := range brokers {
			if marks[group][broker.Name] == 0 {
				continue
			}
			if err := writeMark(ctx, c, p, broker, group, markNone); err != nil {
				return err
			}
		}
	}
	return nil
}
