package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// gatewayStory moves applications that are behind gateways: they notice nothing. Each step moves its part of the groups, then the homes of its
// share of the queues, and stands for the soak. EndPhase comes afterwards.
func (s *shift) gatewayStory(ctx workflow.Context, readers map[string][]string) error {
	topics := plan.AllTopics(readers)
	// Step 0: the gateway knows the migration; groups and ordered topics are open on the target, since only the gateway leads anybody there.
	if err := s.step(ctx, func(ctx workflow.Context) error { return s.openForGateway(ctx, readers) }); err != nil {
		return err
	}
	waves := s.plan.GatewayWaves(readers)
	for _, w := range waves {
		s.status.Waves = append(s.status.Waves, WaveStatus{Step: w.Step, State: StagePending, Groups: w.Groups})
	}
	for i, w := range waves {
		s.detail(ctx, "step %d of %d: %d%% of the queues", i+1, len(waves), w.Step)
		if err := s.gatewayWave(ctx, &s.status.Waves[i], w, topics); err != nil {
			return err
		}
	}
	s.detail(ctx, "all %d steps stand; applications are still behind gateways", len(waves))
	return nil
}

func (s *shift) openForGateway(ctx workflow.Context, readers map[string][]string) error {
	var traffic *activities.Traffic
	var gateways *activities.Gateways
	groups := plan.AllReaders(readers)
	if len(groups) > 0 && changed(ctx, changeHealthyFirst) {
		var closed []string // by others, before: they stay closed, on both sides
		all := activities.GroupsRequest{
			Request: s.request(), Side: activities.Source,
			Groups: groups,
		}
		if err := workflow.ExecuteActivity(quick(ctx, "which groups others closed"),
			traffic.ClosedByOthers, all).Get(ctx, &closed); err != nil {
			return err
		}
		groups = without(groups, closed)
	}
	if len(groups) > 0 {
		all := activities.GroupsRequest{Request: s.request(), Side: activities.Target, Groups: groups}
		if err := workflow.ExecuteActivity(quick(ctx, "open on the target: "+short(groups)), traffic.Unfence, all).Get(ctx, nil); err != nil {
			return err
		}
	}
	if len(s.ordered) > 0 {
		all := activities.TopicsRequest{Request: s.request(), Side: activities.Target, Topics: s.ordered}
		if err := workflow.ExecuteActivity(quick(ctx, "open on the target: "+short(s.ordered)), traffic.OpenTopics, all).Get(ctx, nil); err != nil {
			return err
		}
	}
	prepare := activities.PrepareRequest{Request: s.request(), Ordered: s.ordered}
	if err := workflow.ExecuteActivity(quick(ctx, "the gateways learn of the migration"), gateways.Prepare, prepare).Get(ctx, nil); err != nil {
		return err
	}
	return s.proveLanes(ctx)
}

// proveLanes waits until lanes bring a message of every broker to the other side and back: no home
// moves where no lane runs.
func (s *shift) proveLanes(ctx workflow.Context) error {
	var lanes *activities.Replication
	return workflow.ExecuteActivity(quick(ctx, "a message goes through lanes of every broker, there and back"), lanes.ProveLanes, s.request()).Get(ctx, nil)
}

// gatewayWave is one step: approval, groups, homes, soak with the measured share.
func (s *shift) gatewayWave(ctx workflow.Context, row *WaveStatus, w plan.Wave, topics []string) error {
	if err := s.approveWave(ctx, w); err != nil {
		return err
	}
	if changed(ctx, changeProveEach) { // the approval may have taken days
		if err := s.step(ctx, s.proveLanes); err != nil {
			return err
		}
	}
	var gateways *activities.Gateways
	for _, part := range []struct {
		state string
		work  func(workflow.Context) error
	}{
		{WaveGroups, func(ctx workflow.Context) error {
			if len(w.Groups) == 0 {
				return nil
			}
			request := activities.GroupsRequest{Request: s.request(), Side: activities.Target, Groups: w.Groups}
			return workflow.ExecuteActivity(quick(ctx, "groups read on the target: "+short(w.Groups)), gateways.MoveGroups, request).Get(ctx, nil)
		}},
		{WaveProducers, func(ctx workflow.Context) error {
			request := activities.HomesRequest{Request: s.request(), Topics: topics, Percent: w.Step}
			return workflow.ExecuteActivity(quick(ctx, fmt.Sprintf("homes of %d%% of the queues", w.Step)), gateways.MoveHomes, request).Get(ctx, nil)
		}},
		{WaveSoak, func(ctx workflow.Context) error { return s.gatewaySoak(ctx, row, w, topics) }},
	} {
		row.State = part.state
		s.publish(ctx)
		if err := s.step(ctx, part.work); err != nil {
			return err
		}
	}
	row.State = StageDone
	s.publish(ctx)
	return nil
}

// gatewaySoak lets the step stand, and measures the share that it brought.
func (s *shift) gatewaySoak(ctx workflow.Context, row *WaveStatus, w plan.Wave, topics []string) error {
	var gateways *activities.Gateways
	var before, check activities.WaveCheck
	request := activities.ShareRequest{Request: s.request(), Topics: topics}
	if err := workflow.ExecuteActivity(quick(ctx, "put counters before the soak"), gateways.MeasureShare, request).Get(ctx, &before); err != nil {
		return err
	}
	timer := workflow.TimerOptions{Summary: fmt.Sprintf("soak of step %d%%", w.Step)}
	if err := workflow.NewTimerWithOptions(ctx, time.Duration(s.plan.Shift.Soak), timer).Get(ctx, nil); err != nil {
		return err
	}
	request.Before = &before
	if err := waitFor(ctx, 0, fmt.Sprintf("share of step %d%%", w.Step), gateways.MeasureShare, request).Get(ctx, &check); err != nil {
		return err
	}
	row.Check = &check
	return nil
}

// gatewayBack brings everything that the gateway has moved back to the source.
func (d *desk) gatewayBack(ctx workflow.Context, in MigrationInput) error {
	inventory, err := d.inventory(ctx, in)
	if err != nil {
		return err
	}
	readers, prepare := map[string][]string{}, activities.PrepareRequest{Request: d.request()}
	for _, t := range inventory.Topics {
		readers[t.Name] = t.Readers
		if t.Ordered {
			prepare.Ordered = append(prepare.Ordered, t.Name)
		}
	}
	groups := plan.AllReaders(readers)
	var gateways *activities.Gateways
	onSource := activities.GroupsRequest{Request: d.request(), Side: activities.Source, Groups: groups}
	homes := activities.HomesRequest{Request: d.request(), Topics: plan.AllTopics(readers)}
	for i, step := range []action{
		{"1 the gateway knows the migration", gateways.Prepare, prepare},
		{"2 the source says who members are", gateways.MoveAuthority, onSource},
		{"3 all queues have their home on the source", gateways.MoveHomes, homes},
		{"4 groups read on the source: " + short(groups), gateways.MoveGroups, onSource},
	} {
		d.detail(ctx, "%s", step.summary)
		// a gateway that moved anything knows it already
		if i == 0 && changed(ctx, changeHealthyFirst) {
			err := workflow.ExecuteActivity(within(ctx, d.plan.Shift.FenceLimit(), step.summary),
				step.activity, step.request).Get(ctx, nil)
			if err != nil && ctx.Err() != nil {
				return err
			}
			if err != nil {
				d.note(ctx, "the gateways weren't told of the migration again: %s",
					rootMessage(err))
			}
			continue
		}
		if err := workflow.ExecuteActivity(quick(ctx, step.summary), step.activity, step.request).Get(ctx, nil); err != nil {
			return err
		}
	}
	if err := d.awaitPending(ctx); err != nil {
		return err
	}
	d.detail(ctx, "all homes and groups are back on the source; applications may stay behind the gateway")
	return nil
}
