package activities

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
)

// gaps are the reasons why something of the side may not be seen, and what to do about each.
func (c *cluster) gaps(ctx context.Context) (all []api.Finding, err error) {
	registry, err := c.Registry(ctx)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	gaps, err := c.Gaps(ctx, registry)
	if err != nil {
		return nil, c.explain(ctx, err)
	}
	for _, g := range gaps {
		all = append(all, refusal(c.object(g), c.mend(g), "%s", g.Text))
	}
	return all, nil
}

// object is what a gap is about.
func (c *cluster) object(g rocketmq.Gap) string {
	switch {
	case g.Kind == rocketmq.GapClusters:
		return string(c.side) + " clusters"
	case g.Broker == "":
		return fmt.Sprintf("%s name server %s", c.side, g.NameServer)
	default:
		return fmt.Sprintf("%s broker %s", c.side, g.Broker)
	}
}

// mend is what people do about a gap.
func (c *cluster) mend(g rocketmq.Gap) string {
	if g.Kind == rocketmq.GapClusters {
		return fmt.Sprintf("%s: %s.cluster", g.Mend(), c.side)
	}
	if g.Broker == "" || c.side != api.Source {
		return g.Mend()
	}
	mend := g.Mend()
	if g.Kind == rocketmq.GapNoMaster {
		mend += ", or name it in source.readSlaves: it is copied from its slave then, " +
			"and nothing moves before it has a master"
	}
	return mend + ", or name it in source.leftOut: what it holds is left behind then"
}

// whole fails while something of the side may not be seen. Whoever counts, compares or creates
// calls it: a part that nobody looked at isn't clean. What brings applications back doesn't.
func (c *cluster) whole(ctx context.Context) error {
	gaps, err := c.gaps(ctx)
	if err != nil || len(gaps) == 0 {
		return err
	}
	first := gaps[0]
	text := fmt.Sprintf("the %s isn't seen whole: %s: %s", c.side, first.Cause, first.Next)
	if len(gaps) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(gaps)-1)
	}
	return fault.Unreachable(c.side, nil, "%s", text)
}

// whole fails while something of either side may not be seen.
func (s sides) whole(ctx context.Context) error {
	if err := s.source.whole(ctx); err != nil {
		return err
	}
	return s.target.whole(ctx)
}

// leftBehind tells which brokers the plan leaves out.
func leftBehind(leftOut []string) (all []api.Finding) {
	for _, name := range leftOut {
		all = append(all, warning("source broker "+name, "move by hand what is on it, or take it out of source.leftOut",
			"is left out by the plan: its queues, messages and positions aren't looked at"))
	}
	return all
}
