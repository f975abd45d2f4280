package shift

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/stage"
)

const (
	// soakFirst and soakMax space the counts of messages after a soak that leaves a doubt: the
	// first message ends it, and a count of 10,000 queues takes a minute. Each costs three actions,
	// which makes 144 a day in the end.
	soakFirst = 10 * time.Second
	soakMax   = 30 * time.Minute
)

// gatewaySoak lets the step stand, and judges it by the messages that applications wrote meanwhile.
// Silence is no evidence: where nothing was written, or messages went elsewhere than the step says,
// it goes on as soon as they show that it works, or when a person says that it is as it should be.
// No plan can say that: whether it is depends on the hour.
func (s *shift) gatewaySoak(
	ctx workflow.Context, row *api.WaveStatus, w activities.Wave, topics api.Names,
) error {
	var gateways *activities.Gateways
	request := activities.SoakRequest{Request: s.Request(), Topics: topics, Step: w.Step}
	if err := workflow.ExecuteActivity(call.Quick(ctx, "where queues end before the soak"),
		gateways.BeginSoak, request).Get(ctx, nil); err != nil {
		return err
	}
	timer := workflow.TimerOptions{Summary: fmt.Sprintf("soak of step %d%%", w.Step)}
	if err := workflow.NewTimerWithOptions(ctx, time.Duration(s.Plan.Shift.Soak),
		timer).Get(ctx, nil); err != nil {
		return err
	}
	defer s.Unask(ctx, api.SoakGate(w.Step))
	for pause := soakFirst; ; pause = min(2*pause, soakMax) {
		var check api.WaveCheck
		if err := workflow.ExecuteActivity(call.Minutes(ctx, fmt.Sprintf("messages of step %d%%",
			w.Step)), gateways.JudgeSoak, request).Get(ctx, &check); err != nil {
			return err
		}
		row.Check = &check
		if check.Doubt == "" {
			return nil
		}
		expires := workflow.Now(ctx).Add(max(pause, stage.RestLife))
		if given, err := s.Ask(ctx, stage.Question{
			Gate: api.SoakGate(w.Step), Evidence: check.Doubt, Life: pause, Expires: expires,
			Text: fmt.Sprintf("step %d%%: %s; it goes on by itself when that changes, and by an "+
				"approval if it is as it should be",
				w.Step, check.Doubt),
		}); given || err != nil {
			return err
		}
	}
}

// gatewaySoakBefore is of runs that are older than change.Soak.
func (s *shift) gatewaySoakBefore(
	ctx workflow.Context, row *api.WaveStatus, w activities.Wave, topics api.Names,
) error {
	var gateways *activities.Gateways
	var before, check api.WaveCheck
	request := activities.ShareRequest{Request: s.Request(), Topics: topics}
	if err := workflow.ExecuteActivity(call.Quick(ctx, "put counters before the soak"),
		gateways.MeasureShare, request).Get(ctx, &before); err != nil {
		return err
	}
	timer := workflow.TimerOptions{Summary: fmt.Sprintf("soak of step %d%%", w.Step)}
	if err := workflow.NewTimerWithOptions(ctx, time.Duration(s.Plan.Shift.Soak),
		timer).Get(ctx, nil); err != nil {
		return err
	}
	request.Before = &before
	if err := workflow.ExecuteActivity(call.Quick(ctx, fmt.Sprintf("share of step %d%%", w.Step)),
		gateways.MeasureShare, request).Get(ctx, &check); err != nil {
		return err
	}
	row.Check = &check
	return nil
}
