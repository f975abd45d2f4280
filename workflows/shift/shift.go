package shift

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/moving"
	"rocketshift/workflows/stage"
)

// Shift moves applications in waves: for each step of the plan first the groups, then the
// producers, then a soak. A wave that was moved before (by an earlier Shift that failed or was
// reset) is seen as moved and not moved again.
func Shift(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.ShiftType, in)
	if err != nil {
		return api.Status{}, err
	}
	s := &shift{Mover: moving.New(run)}
	return run.Execute(ctx, func(ctx workflow.Context) error {
		var inventory api.Inventory
		if err := run.Hears(ctx, func(ctx workflow.Context) (err error) {
			inventory, err = run.Inventory(ctx, in)
			run.Brokers = inventory.SourceBrokers()
			return err
		}); err != nil {
			return err
		}
		return s.story(ctx, inventory)
	})
}

type shift struct {
	*moving.Mover
	target activities.PurchaseResult
	row    *api.WaveStatus // of the step that is at its groups
}

func (s *shift) story(ctx workflow.Context, inventory api.Inventory) error {
	if s.WasReset(ctx) {
		s.FreeStranded(ctx)
		s.FreeLate(ctx)
	}
	if err := s.Hears(ctx, s.findTarget); err != nil {
		return err
	}
	var waves []activities.Wave
	if err := s.Hears(ctx, func(ctx workflow.Context) (err error) {
		waves, err = s.planWaves(ctx, inventory)
		return err
	}); err != nil {
		return err
	}
	if s.Parent == nil && change.Made(ctx, change.Stranded) { // else the migration has done it
		s.FreeStranded(ctx)
	}
	if s.Plan.Traffic.Mode == plan.ModeGateway {
		return s.gatewayStory(ctx, inventory, waves)
	}
	if s.Parent == nil {
		s.WatchTarget(ctx)
	}
	for _, w := range waves {
		s.Status.Waves = append(s.Status.Waves,
			api.WaveStatus{Step: w.Step, State: api.StagePending, Topics: w.Topics, Groups: w.Groups})
	}
	for i, w := range waves {
		s.Detail(ctx, "step %d of %d: %d%% of the topics", i+1, len(waves), w.Step)
		if err := s.wave(ctx, &s.Status.Waves[i], w); err != nil {
			return err
		}
	}
	s.Detail(ctx, "all %d steps stand", len(waves))
	return nil
}

// findTarget asks the provider where applications are to be pointed to.
func (s *shift) findTarget(ctx workflow.Context) error {
	var acts *activities.Purchase
	return workflow.ExecuteActivity(call.Quick(ctx, "where the target is"), acts.Describe,
		s.Request()).Get(ctx, &s.target)
}

// planWaves deals topics and groups out to the plan's steps.
func (s *shift) planWaves(
	ctx workflow.Context, inventory api.Inventory,
) (waves []activities.Wave, err error) {
	if !s.Bounded {
		return s.planWavesBefore(inventory)
	}
	var acts *activities.Assess
	request := activities.WavesRequest{Request: s.Request(), Inventory: inventory}
	err = workflow.ExecuteActivity(call.Quick(ctx, "what moves in which step"), acts.PlanWaves,
		request).Get(ctx, &waves)
	return waves, err
}

// wave is one step: approval, groups, producers, soak, check.
func (s *shift) wave(ctx workflow.Context, row *api.WaveStatus, w activities.Wave) error {
	// Step 1: a person agrees, where the plan wants it.
	if err := s.approveWave(ctx, w); err != nil {
		return err
	}
	// Step 2: groups read from the target; Step 3: producers write there; Step 4: both stand a
	// while.
	for _, part := range []struct {
		state string
		work  func(workflow.Context) error
	}{
		{api.WaveGroups, func(ctx workflow.Context) error {
			s.row = row
			return s.moveGroups(ctx, w.Groups)
		}},
		{api.WaveProducers, func(ctx workflow.Context) error { return s.moveProducers(ctx, w) }},
		{api.WaveSoak, func(ctx workflow.Context) error { return s.soak(ctx, row, w) }},
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

func (s *shift) approveWave(ctx workflow.Context, w activities.Wave) error {
	if !s.Asks(plan.GateShift) {
		return nil
	}
	return s.Approve(ctx, func(ctx workflow.Context) (stage.Question, error) {
		var acts *activities.Replication
		var state activities.ReplicationState
		err := workflow.ExecuteActivity(call.Quick(ctx, "lag before the step"), acts.State, s.Request()).
			Get(ctx, &state)
		text := fmt.Sprintf("shift to %d%%: %s; %d lanes, lag %d messages",
			w.Step, s.partOf(w), state.Lanes, state.Lag)
		return stage.Question{Gate: api.ShiftGate(w.Step), Text: text, Evidence: []any{s.shown(w), state}}, err
	})
}

// partOf says what a step moves. Behind gateways it is a share of all queues, of no topics by name.
func (s *shift) partOf(w activities.Wave) string {
	groups := lists.OrNone(lists.Shortened(w.Groups))
	if s.Plan.Traffic.Mode == plan.ModeGateway {
		return fmt.Sprintf("%d%% of the queues of all topics; groups %s", w.Step, groups)
	}
	return fmt.Sprintf("topics %s; groups %s", lists.OrNone(lists.Shortened(w.Topics)), groups)
}

// shown is a wave as evidence. Approvals of runs that are older than change.Bounded are bound to
// the digest of its names alone.
func (s *shift) shown(w activities.Wave) any {
	if s.Bounded {
		return w
	}
	topics, _ := w.Topics.Inline()
	groups, _ := w.Groups.Inline()
	return plan.Wave{Step: w.Step, Topics: topics, Groups: groups}
}

// moveGroups moves the groups a few hundred at a time: each batch is asked to be re-pointed before
// the next is fenced, so that none waits fenced for the others.
func (s *shift) moveGroups(ctx workflow.Context, groups api.Names) error {
	return s.EachBatch(ctx, groups, s.moveBatch)
}

// moveBatch takes the groups off the source at a known position and opens them on the target at the
// same message.
func (s *shift) moveBatch(ctx workflow.Context, groups []string) (err error) {
	var acts *activities.Traffic
	all := activities.GroupsRequest{
		Request: s.Request(), Side: api.Source, Groups: api.Some(groups...),
	}
	var moved []string
	if err := workflow.ExecuteActivity(call.Quick(ctx, "which groups moved before"), acts.Moved,
		all).Get(ctx, &moved); err != nil {
		return err
	}
	rest := lists.Without(groups, moved)
	if !change.Made(ctx, change.HealthyFirst) {
		return s.moveGroupsBefore(ctx, groups, of(all, rest))
	}
	var closed []string // by others, before: they stay closed, on both sides
	if err := workflow.ExecuteActivity(call.Quick(ctx, "which groups others closed"),
		acts.ClosedByOthers, all).Get(ctx, &closed); err != nil {
		return err
	}
	fenced := lists.Without(rest, closed)
	if err := s.keepClosed(ctx, lists.Without(rest, fenced)); err != nil {
		return err
	}
	asked := false
	// stands before the first write; once applications are asked to move, only Rollback goes back,
	// unless the target is away
	defer func() {
		ours := fenced
		if asked {
			ours = lists.Without(groups, closed)
		}
		switch {
		case err == nil || len(ours) == 0:
		case !asked || call.IsAway(err):
			s.UndoFence(ctx, ours, asked)
		// nobody asks for them any more; Rollback asks for what it needs
		case ctx.Err() != nil && s.Back == nil && change.Made(ctx, change.Stranded):
			disconnected, cancel := workflow.NewDisconnectedContext(ctx)
			defer cancel()
			s.FreeThose(disconnected, s.LeaveAsked)
		}
	}()
	if len(rest) > 0 {
		if err := s.UnderFence(ctx, s.openOnTarget(of(all, rest), of(all, fenced))); err != nil {
			return err
		}
	}
	asked = true
	return s.AwaitGroups(ctx, api.Source, groups, s.target.NameServers, s.Patience())
}

// of is the request for other groups.
func of(r activities.GroupsRequest, groups []string) activities.GroupsRequest {
	r.Groups = api.Some(groups...)
	return r
}

// openOnTarget is the numbered heart of a group's move. Positions of groups that others closed are
// carried over too.
func (s *shift) openOnTarget(all, fenced activities.GroupsRequest) []call.Action {
	var acts *activities.Traffic
	onTarget := fenced
	onTarget.Side = api.Target
	names := api.Short(all.Groups)
	actions := []call.Action{
		call.New("step 1: fence on the source: "+names, acts.Fence, fenced),
		call.New("step 2: positions stand still: "+names, acts.AwaitSettled, all),
		call.New("step 3: translate and write positions: "+names, acts.Translate, all),
		call.New("step 4: open on the target: "+names, acts.Unfence, onTarget),
	}
	if fenced.Groups.Len() == 0 {
		return actions[1:3]
	}
	return actions
}

// soak lets the wave stand, then checks it by measurement: no data, members left behind or messages
// on the source hold it.
func (s *shift) soak(ctx workflow.Context, row *api.WaveStatus, w activities.Wave) error {
	soak := time.Duration(s.Plan.Shift.Soak)
	if err := workflow.NewTimerWithOptions(ctx, soak, workflow.TimerOptions{
		Summary: fmt.Sprintf("soak of step %d%%", w.Step),
	}).Get(ctx, nil); err != nil {
		return err
	}
	check, err := s.checkWave(ctx, w)
	if err != nil {
		return err
	}
	row.Check = &check
	return nil
}
