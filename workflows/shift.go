package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// Shift moves applications in waves: for each step of the plan first the groups, then the producers, then a soak. A wave that
// was moved before (by an earlier Shift that failed or was reset) is seen as moved and not moved again.
func Shift(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, ShiftType, in)
	if err != nil {
		return Status{}, err
	}
	s := &shift{desk: d}
	return d.run(ctx, func(ctx workflow.Context) error {
		inventory, err := d.inventory(ctx, in)
		if err != nil {
			return err
		}
		return s.story(ctx, inventory)
	})
}

type shift struct {
	*desk
	target  activities.PurchaseResult
	ordered []string // topics whose order must survive the producers' move
}

func (s *shift) story(ctx workflow.Context, inventory activities.Assessment) error {
	var acts *activities.Purchase
	if err := workflow.ExecuteActivity(quick(ctx, "where the target is"), acts.Describe, s.request()).Get(ctx, &s.target); err != nil {
		return err
	}
	readers := map[string][]string{}
	for _, t := range inventory.Topics {
		readers[t.Name] = t.Readers
		if t.Ordered {
			s.ordered = append(s.ordered, t.Name)
		}
	}
	if s.plan.Traffic.Mode == plan.ModeGateway {
		return s.gatewayStory(ctx, readers)
	}
	waves := s.plan.Waves(readers)
	for _, w := range waves {
		s.status.Waves = append(s.status.Waves, WaveStatus{Step: w.Step, State: StagePending, Topics: w.Topics, Groups: w.Groups})
	}
	for i, w := range waves {
		s.detail(ctx, "step %d of %d: %d%% of the topics", i+1, len(waves), w.Step)
		if err := s.wave(ctx, &s.status.Waves[i], w); err != nil {
			return err
		}
	}
	s.detail(ctx, "all %d steps stand", len(waves))
	return nil
}

// wave is one step: approval, groups, producers, soak, check.
func (s *shift) wave(ctx workflow.Context, row *WaveStatus, w plan.Wave) error {
	// Step 1: a person agrees, where the plan wants it.
	if err := s.approveWave(ctx, w); err != nil {
		return err
	}
	// Step 2: groups read from the target; Step 3: producers write there; Step 4: both stand a while.
	for _, part := range []struct {
		state string
		work  func(workflow.Context) error
	}{
		{WaveGroups, func(ctx workflow.Context) error { return s.moveGroups(ctx, w.Groups) }},
		{WaveProducers, func(ctx workflow.Context) error { return s.moveProducers(ctx, w.Topics) }},
		{WaveSoak, func(ctx workflow.Context) error { return s.soak(ctx, row, w) }},
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

func (s *shift) approveWave(ctx workflow.Context, w plan.Wave) error {
	if !s.asks(plan.GateShift) {
		return nil
	}
	return s.approve(ctx, func(ctx workflow.Context) (question, error) {
		var acts *activities.Replication
		var state activities.ReplicationState
		err := workflow.ExecuteActivity(quick(ctx, "lag before the step"), acts.State, s.request()).Get(ctx, &state)
		text := fmt.Sprintf("shift to %d%%: topics %s; groups %s; %d lanes, lag %d messages",
			w.Step, short(w.Topics), short(w.Groups), state.Lanes, state.Lag)
		return question{gate: ShiftGate(w.Step), text: text, evidence: []any{w, state}}, err
	})
}

// moveGroups takes the groups off the source at a known position and opens them on the target at the same message.
func (s *shift) moveGroups(ctx workflow.Context, groups []string) (err error) {
	if len(groups) == 0 {
		return nil
	}
	var acts *activities.Traffic
	all := activities.GroupsRequest{Request: s.request(), Side: activities.Source, Groups: groups}
	var moved []string
	if err := workflow.ExecuteActivity(quick(ctx, "which groups moved before"), acts.Moved, all).Get(ctx, &moved); err != nil {
		return err
	}
	rest := all
	rest.Groups = without(groups, moved)
	if !changed(ctx, changeHealthyFirst) {
		return s.moveGroupsBefore(ctx, groups, rest)
	}
	var closed []string // by others, before: they stay closed, on both sides
	if err := workflow.ExecuteActivity(quick(ctx, "which groups others closed"),
		acts.ClosedByOthers, all).Get(ctx, &closed); err != nil {
		return err
	}
	fenced := all
	fenced.Groups = without(rest.Groups, closed)
	ours, asked := fenced, false
	defer func() { // stands before the first write; once applications are asked to move, only Rollback goes back, unless the target is away
		if asked {
			ours.Groups = without(groups, closed)
		}
		if err != nil && len(ours.Groups) > 0 && (!asked || isAway(err)) {
			s.undoFence(ctx, ours)
		}
	}()
	if len(rest.Groups) > 0 {
		if err := s.underFence(ctx, s.openOnTarget(rest, fenced)); err != nil {
			return err
		}
	}
	asked = true
	return s.awaitGroups(ctx, activities.Source, groups, s.target.NameServers, s.patience())
}

// openOnTarget is the numbered heart of a group's move. Positions of groups that others closed are
// carried over too.
func (s *shift) openOnTarget(all, fenced activities.GroupsRequest) []action {
	var acts *activities.Traffic
	onTarget := fenced
	onTarget.Side = activities.Target
	names := short(all.Groups)
	actions := []action{
		{"1 fence on the source: " + names, acts.Fence, fenced},
		{"2 positions stand still: " + names, acts.AwaitSettled, all},
		{"3 translate and write positions: " + names, acts.Translate, all},
		{"4 open on the target: " + names, acts.Unfence, onTarget},
	}
	if len(fenced.Groups) == 0 {
		return actions[1:3]
	}
	return actions
}

func without(names, some []string) []string {
	return slices.DeleteFunc(slices.Clone(names),
		func(name string) bool { return slices.Contains(some, name) })
}

// moveProducers asks for the producers of all topics of the wave. Ordered topics go one by one: each opens on the target when
// nothing is written on the source any more and the last message was copied.
func (s *shift) moveProducers(ctx workflow.Context, topics []string) error {
	var free, ordered []string
	for _, t := range topics {
		if slices.Contains(s.ordered, t) {
			ordered = append(ordered, t)
		} else {
			free = append(free, t)
		}
	}
	s.forgetReleased()
	var moves []func(workflow.Context) error
	if len(free) > 0 {
		moves = append(moves, func(ctx workflow.Context) error {
			if err := s.awaitProducers(ctx, activities.Source, free, s.target.NameServers,
				0); err != nil {
				return err
			}
			return s.awaitDrained(ctx, free)
		})
	}
	for _, t := range ordered {
		moves = append(moves, func(ctx workflow.Context) error { return s.moveOrdered(ctx, []string{t}) })
	}
	return together(ctx, moves)
}

func (s *shift) moveOrdered(ctx workflow.Context, topic []string) error {
	var acts *activities.Traffic
	onTarget := activities.TopicsRequest{Request: s.request(), Side: activities.Target, Topics: topic}
	if err := workflow.ExecuteActivity(quick(ctx, "read-only on the target: "+short(topic)), acts.CloseTopics, onTarget).Get(ctx, nil); err != nil {
		return err
	}
	for _, t := range topic {
		s.closed[t] = true
		defer delete(s.closed, t)
	}
	if err := s.awaitProducers(ctx, activities.Source, topic, s.target.NameServers, 0); err != nil {
		return err
	}
	if err := s.awaitDrained(ctx, topic); err != nil {
		return err
	}
	return workflow.ExecuteActivity(quick(ctx, "open on the target: "+short(topic)), acts.OpenTopics, onTarget).Get(ctx, nil)
}

// soak lets the wave stand, then checks it by measurement: no data, members left behind or messages on the source hold it.
func (s *shift) soak(ctx workflow.Context, row *WaveStatus, w plan.Wave) error {
	soak := time.Duration(s.plan.Shift.Soak)
	if err := workflow.NewTimerWithOptions(ctx, soak, workflow.TimerOptions{
		Summary: fmt.Sprintf("soak of step %d%%", w.Step),
	}).Get(ctx, nil); err != nil {
		return err
	}
	var acts *activities.Traffic
	var check activities.WaveCheck
	request := activities.WaveRequest{Request: s.request(), Wave: w}
	err := waitFor(ctx, 0, fmt.Sprintf("check of step %d%%", w.Step), acts.CheckWave, request).Get(ctx, &check)
	if err != nil {
		return err
	}
	if check.Measured.IsZero() {
		return temporal.NewNonRetryableApplicationError("the check of the step brought no evidence", "NoEvidence", nil)
	}
	row.Check = &check
	return nil
}
