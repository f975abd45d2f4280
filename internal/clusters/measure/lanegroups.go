package measure

import (
	"context"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// EnsureLaneGroups creates the lanes' consumer groups where they aren't created by themselves. Who
// may not create groups relies on the brokers, or on the person who granted the rights, to have it
// there: a pull says so if not.
func EnsureLaneGroups(ctx context.Context, s clusters.Both) error {
	for _, c := range []*clusters.One{s.Source, s.Target} {
		if c.Proxy() != "" {
			continue // brokers behind it that may make them of the lanes' first pulls
		}
		brokers, err := c.FindBrokers(ctx)
		if err != nil {
			return err
		}
		table, err := c.GroupTable(ctx, brokers)
		if err != nil {
			return err
		}
		for _, b := range brokers {
			for _, name := range laneGroups(s.Plan) {
				if _, there := table[name][b.Name]; there || b.Slave {
					continue // a slave takes no groups, and makes them of pulls
				}
				if err := c.Client().PutGroup(ctx, b.Addr, rocketmq.NewGroup(name)); err != nil &&
					!remoting.Denied(err) {
					return c.Explain(ctx, err)
				}
			}
		}
	}
	return nil
}

// laneGroups are the groups of the lanes in each direction.
func laneGroups(p plan.Plan) []string {
	names := clusters.LaneNames(p)
	if p.Replicate.OneWay {
		return []string{names.Group}
	}
	return []string{names.Group, names.Back().Group}
}
