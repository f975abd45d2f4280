package activities

import (
	"context"
)

// ShareRequest measures how producers' messages are spread. Before is what was measured when the time to measure began.
type ShareRequest struct {
	Request
	Topics Names      `json:"topics"`
	Before *WaveCheck `json:"before,omitempty"`
}

// MeasureShare counts what producers have written on each side, and since Before its share on the target. With Before it waits until the lanes
// have caught up, and looks for clients past the gateways.
func (g *Gateways) MeasureShare(ctx context.Context, r ShareRequest) (check WaveCheck, err error) {
	both, err := g.settings.both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return check, err
	}
	topics, err := resolve(ctx, g.settings, r.Topics)
	if err != nil {
		return check, err
	}
	err = waiting{}.until(ctx, func() error {
		check, err = both.countShare(ctx, topics, r.Before)
		if err == nil && r.Before != nil && check.Lag > closeLag*int64(max(1, len(topics))) {
			return notReady("the lanes are %d messages behind", check.Lag)
		}
		return err
	})
	if err != nil || r.Before == nil {
		return check, err
	}
	state, err := g.settings.gatewayState(ctx, both.plan)
	if err != nil {
		return check, err
	}
	check.Past = both.past(ctx, state).orNil()
	return check, nil
}

func (s sides) countShare(
	ctx context.Context, topics []string, before *WaveCheck,
) (WaveCheck, error) {
	onSource, err := s.puts(ctx, Source, topics)
	if err != nil {
		return WaveCheck{}, err
	}
	onTarget, err := s.puts(ctx, Target, topics)
	if err != nil {
		return WaveCheck{}, err
	}
	l, err := s.layout(ctx)
	if err != nil {
		return WaveCheck{}, err
	}
	lanes, err := s.measure(ctx, l, topics)
	if err != nil {
		return WaveCheck{}, err
	}
	state := summary(lanes)
	check := WaveCheck{Lag: state.Lag, Measured: state.Measured}
	for _, topic := range topics {
		check.SourcePuts += onSource[topic]
		check.TargetPuts += onTarget[topic]
	}
	if b := before; b != nil {
		check.SourcePuts, check.TargetPuts = check.SourcePuts-b.SourcePuts, check.TargetPuts-b.TargetPuts
		if all := check.SourcePuts + check.TargetPuts; all > 0 {
			check.Share = float64(check.TargetPuts*1000/all) / 10
		}
	}
	return check, nil
}
