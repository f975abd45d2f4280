package workflows

import (
	"context"
	"sync/atomic"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/standins"
)

// atTheEnd are gateways whose end phase has begun.
var atTheEnd = activities.Gateway{
	NameServer: "127.0.0.1:9876", Authority: api.Target,
	Groups: api.Some("orders-group"), Topics: api.Some("orders"),
}

// gatewayPaths are ways on which applications have left the gateways.
func gatewayPaths() []path {
	return []path{
		{"gateway-back-end", gateways, []string{api.EndPhaseType, api.RollbackType}, backFromTheEnd},
		{"gateway-anew", gateways, []string{api.ShiftType, api.EndPhaseType}, func(p *played) {
			stands := activities.Reached{Step: 100, Authority: api.Target, Homes: 16}
			p.clusters.Answer("Reached", func(
				context.Context, activities.ReachedRequest,
			) (activities.Reached, error) {
				return stands, nil
			})
			p.start()
			p.ends(api.StateDone)
			require.Zero(p, p.clusters.Calls("MoveHomes"))
		}},
	}
}

// backFromTheEnd plays a way back on which applications are called back, and then one is asked for
// that bypasses the gateways.
func backFromTheEnd(p *played) {
	p.clusters.Answer("Entrance", func(
		context.Context, activities.Request,
	) (activities.Gateway, error) {
		return atTheEnd, nil
	})
	var returned atomic.Bool
	p.clusters.Answer("MoveHomes", func(
		_ context.Context, r activities.HomesRequest,
	) (activities.Homes, error) {
		switch {
		case returned.Load() || r.Percent > 0:
			return activities.Homes{}, nil
		case r.Asked.Topics.Len() > 0:
			return activities.Homes{}, standins.Retried("they still write there", activities.BypassedType)
		}
		return activities.Homes{}, temporal.NewApplicationErrorWithOptions(
			"producers of orders write there", activities.BypassedType,
			temporal.ApplicationErrorOptions{
				NonRetryable: true,
				Details:      []any{activities.Bypassing{Topics: api.Some("orders")}},
			})
	})
	asked := func(groups int) {
		p.until("applications are asked for", func(s api.Status) bool {
			for _, w := range s.Waiting {
				if w.Kind == api.WaitingRelease && w.To == api.Source && w.Groups.Len() == groups {
					return true
				}
			}
			return false
		})
	}
	p.backFrom("AwaitEmpty")
	asked(1)
	require.NoError(p, p.update(p.run.GetID(), api.ReleasedName, api.Released{By: "pipeline"}))
	asked(0)
	returned.Store(true)
	p.ends(api.StateRolledBack)
}
