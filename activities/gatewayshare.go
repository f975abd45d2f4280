package activities

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/documents/lists"
)

// ShareRequest measures how producers' messages are spread. Before is what was measured when the
// time to measure began.
type ShareRequest struct {
	Request
	Topics api.Names      `json:"topics"`
	Before *api.WaveCheck `json:"before,omitempty"`
}

// MeasureShare counts what producers have written on each side, and since Before its share on the
// target. With Before it waits until the lanes have caught up, and looks for clients past the
// gateways.
func (g *Gateways) MeasureShare(ctx context.Context, r ShareRequest) (check api.WaveCheck, err error) {
	defer explained(&err)
	both, err := g.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return check, err
	}
	topics, err := lists.Resolve(ctx, g.settings.Store, r.Topics)
	if err != nil {
		return check, err
	}
	err = waiting{}.until(ctx, func() error {
		check, err = measure.CountShare(ctx, both, topics, r.Before)
		if err == nil && r.Before != nil && check.Lag > measure.CloseLag*int64(max(1, len(topics))) {
			return fault.NotReady("the lanes are %d messages behind", check.Lag)
		}
		return err
	})
	if err != nil || r.Before == nil {
		return check, err
	}
	state, err := g.settings.clusters().GatewayState(ctx, both.Plan)
	if err != nil {
		return check, err
	}
	check.Past = fleet.Past(ctx, both, state, g.settings.clusters().GatewayState).OrNil()
	return check, nil
}
