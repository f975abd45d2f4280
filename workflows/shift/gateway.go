package shift

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/stage"
)

// gatewayStory moves applications that are behind gateways: they notice nothing. Each step moves
// its part of the groups, then the homes of its share of the queues, and stands for the soak.
// EndPhase comes afterwards.
func (s *shift) gatewayStory(
	ctx workflow.Context, inventory api.Inventory, waves []activities.Wave,
) error {
	topics := inventory.Topics()
	// Step 0: the gateway knows the migration; groups and ordered topics are open on the target,
	// since only the gateway leads anybody there.
	if err := s.Step(ctx, func(ctx workflow.Context) error { return s.openForGateway(ctx, inventory) }); err != nil {
		return err
	}
	for _, w := range waves {
		s.Status.Waves = append(s.Status.Waves, api.WaveStatus{Step: w.Step, State: api.StagePending, Groups: w.Groups})
	}
	stand, err := s.reached(ctx, waves, topics)
	if err != nil {
		return err
	}
	var before []api.Names // of steps that stand, whose groups may be more by now
	for i, w := range waves {
		if stand(w.Step) {
			before = append(before, w.Groups)
			s.Status.Waves[i].State = api.StageDone
			s.Note(ctx, "step %d%% was made by an earlier run, and stands", w.Step)
			continue
		}
		s.Detail(ctx, "step %d of %d: %d%% of the queues", i+1, len(waves), w.Step)
		if err := s.gatewayWave(ctx, &s.Status.Waves[i], w, topics, before); err != nil {
			return err
		}
		before = nil
	}
	s.Detail(ctx, "all %d steps stand; applications are still behind gateways", len(waves))
	return nil
}

// reached looks which steps earlier runs have made, by what the gateways say. Made again, they
// would take homes back, which gateways refuse once producers are at the target.
func (s *shift) reached(
	ctx workflow.Context, waves []activities.Wave, topics api.Names,
) (stands func(step int) bool, err error) {
	if !change.Made(ctx, change.Reached) {
		return func(int) bool { return false }, nil
	}
	request := activities.ReachedRequest{Request: s.Request(), Topics: topics}
	for _, w := range waves {
		request.Steps = append(request.Steps, w.Step)
	}
	var at activities.Reached
	err = s.Step(ctx, func(ctx workflow.Context) error {
		var gateways *activities.Gateways
		return workflow.ExecuteActivity(call.Quick(ctx, "which steps stand"), gateways.Reached,
			request).Get(ctx, &at)
	})
	return func(step int) bool { return at.Authority == api.Target || step < at.Step }, err
}

func (s *shift) openForGateway(ctx workflow.Context, inventory api.Inventory) error {
	var traffic *activities.Traffic
	var gateways *activities.Gateways
	for _, part := range s.Batches(inventory.Readers(), openTogether) {
		if err := s.openGroups(ctx, part); err != nil {
			return err
		}
	}
	ordered := inventory.Ordered()
	for _, part := range s.Batches(ordered, openTogether) {
		all := activities.TopicsRequest{Request: s.Request(), Side: api.Target, Topics: part}
		summary := "open on the target: " + api.Short(part)
		if err := workflow.ExecuteActivity(call.Quick(ctx, summary), traffic.OpenTopics, all).Get(ctx, nil); err != nil {
			return err
		}
	}
	prepare := activities.PrepareRequest{Request: s.Request(), Ordered: ordered}
	learn := call.Quick(ctx, "the gateways learn of the migration")
	if err := workflow.ExecuteActivity(learn, gateways.Prepare, prepare).Get(ctx, nil); err != nil {
		return err
	}
	return s.proveLanes(ctx)
}

// openTogether is how many groups, or topics, one activity opens: names of closed ones come back,
// and every one of them is written on every broker within two minutes.
const openTogether = 500

// openGroups opens groups on the target that others haven't closed.
func (s *shift) openGroups(ctx workflow.Context, groups api.Names) error {
	var traffic *activities.Traffic
	all := activities.GroupsRequest{Request: s.Request(), Side: api.Source, Groups: groups}
	if change.Made(ctx, change.HealthyFirst) {
		if err := workflow.ExecuteActivity(call.Quick(ctx, "which groups others closed"),
			traffic.ClosedByOthers, all).Get(ctx, &all.But); err != nil {
			return err
		}
	}
	if groups.Len() == len(all.But) {
		return nil
	}
	all.Side = api.Target
	return workflow.ExecuteActivity(call.Quick(ctx, "open on the target: "+api.Short(groups)),
		traffic.Unfence, all).Get(ctx, nil)
}

// proveLanes waits until lanes bring a message of every broker to the other side and back: no home
// moves where no lane runs.
func (s *shift) proveLanes(ctx workflow.Context) error {
	var lanes *activities.Replication
	through := call.Quick(ctx, "a message goes through lanes of every broker, there and back")
	return workflow.ExecuteActivity(through, lanes.ProveLanes, s.Request()).
		Get(ctx, nil)
}

// gatewayWave is one step: approval, groups, homes, soak with the measured share. Before are groups
// of steps before it, which an earlier run has made.
func (s *shift) gatewayWave(
	ctx workflow.Context, row *api.WaveStatus, w activities.Wave, topics api.Names,
	before []api.Names,
) error {
	if err := s.approveWave(ctx, w); err != nil {
		return err
	}
	if change.Made(ctx, change.ProveEach) { // the approval may have taken days
		if err := s.Step(ctx, s.proveLanes); err != nil {
			return err
		}
	}
	var gateways *activities.Gateways
	for _, part := range []struct {
		state string
		work  func(workflow.Context) error
	}{
		{api.WaveGroups, func(ctx workflow.Context) error {
			for _, groups := range append(before, w.Groups) {
				if err := s.leadGroups(ctx, groups); err != nil {
					return err
				}
			}
			return nil
		}},
		{api.WaveProducers, func(ctx workflow.Context) error {
			request := activities.HomesRequest{Request: s.Request(), Topics: topics, Percent: w.Step}
			return s.ByGateway(ctx, call.New(fmt.Sprintf("homes of %d%% of the queues", w.Step), gateways.MoveHomes, request))
		}},
		{api.WaveSoak, func(ctx workflow.Context) error {
			if !change.Made(ctx, change.Soak) {
				return s.gatewaySoakBefore(ctx, row, w, topics)
			}
			return s.gatewaySoak(ctx, row, w, topics)
		}},
	} {
		row.State = part.state
		s.Publish(ctx)
		if err := s.Step(ctx, part.work); err != nil {
			return err
		}
	}
	row.State = api.StageDone
	s.Publish(ctx)
	return nil
}

// leadGroups makes groups read on the target, a batch after another.
func (s *shift) leadGroups(ctx workflow.Context, groups api.Names) error {
	var gateways *activities.Gateways
	for i, part := range s.Batches(groups, stage.BatchSize) {
		if err := s.BetweenBatches(ctx, i); err != nil {
			return err
		}
		request := activities.GroupsRequest{
			Request: s.Request(), Side: api.Target, Groups: part,
		}
		summary := "groups read on the target: " + api.Short(part)
		if err := s.ByGateway(ctx, call.New(summary, gateways.MoveGroups, request)); err != nil {
			return err
		}
	}
	return nil
}
