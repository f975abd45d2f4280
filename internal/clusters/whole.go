package clusters

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/findings"
	"rocketshift/internal/rocketmq"
)

var gapIDs = map[rocketmq.GapKind]findings.ID{
	rocketmq.GapSilent: findings.NameServerSilent, rocketmq.GapEmpty: findings.NameServerEmpty,
	rocketmq.GapPartial: findings.NameServersDisagree, rocketmq.GapNoMaster: findings.BrokerWithoutMaster,
	rocketmq.GapConflict: findings.NameServersDisagree, rocketmq.GapClusters: findings.SeveralClusters,
	rocketmq.GapMute: findings.SlaveMute,
}

// GapFindings are the reasons why something of the side may not be seen, and what to do about each.
func (c *One) GapFindings(ctx context.Context) (all []api.Finding, err error) {
	registry, err := c.Registry(ctx)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	gaps, err := c.Gaps(ctx, registry)
	if err != nil {
		return nil, c.Explain(ctx, err)
	}
	for _, g := range gaps {
		all = append(all, gapIDs[g.Kind].Refusal(c.object(g), c.mend(g), "%s", g.Text))
	}
	return all, nil
}

// object is what a gap is about.
func (c *One) object(g rocketmq.Gap) string {
	switch {
	case g.Kind == rocketmq.GapClusters:
		return string(c.Side) + " clusters"
	case g.Broker == "":
		return fmt.Sprintf("%s name server %s", c.Side, g.NameServer)
	default:
		return fmt.Sprintf("%s broker %s", c.Side, g.Broker)
	}
}

// mend is what people do about a gap.
func (c *One) mend(g rocketmq.Gap) string {
	if g.Kind == rocketmq.GapClusters {
		return fmt.Sprintf("%s: %s.cluster", g.Mend(), c.Side)
	}
	if g.Broker == "" || c.Side != api.Source {
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
func (c *One) whole(ctx context.Context) error {
	gaps, err := c.GapFindings(ctx)
	if err != nil || len(gaps) == 0 {
		return err
	}
	first := gaps[0]
	text := fmt.Sprintf("the %s isn't seen whole: %s: %s", c.Side, first.Cause, first.Next)
	if len(gaps) > 1 {
		text += fmt.Sprintf(" (and %d more)", len(gaps)-1)
	}
	return fault.Unreachable(c.Side, nil, "%s", text)
}

// Whole fails while something of either side may not be seen.
func (s Both) Whole(ctx context.Context) error {
	if err := s.Source.whole(ctx); err != nil {
		return err
	}
	return s.Target.whole(ctx)
}
