package shift

import (
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
)

// moveGroupsBefore is of runs that are older than change.HealthyFirst.
func (s *shift) moveGroupsBefore(ctx workflow.Context, groups []string, rest activities.GroupsRequest) (err error) {
	if rest.Groups.Len() > 0 {
		asked := false
		// the undo stands before the first write; once applications are asked to move, only
		// Rollback goes back
		defer func() {
			if err != nil && !asked {
				s.undoFenceBefore(ctx, rest)
			}
		}()
		if err := s.openOnTargetBefore(ctx, rest); err != nil {
			return err
		}
		asked = true
	}
	return s.AwaitGroups(ctx, api.Source, groups, s.target.NameServers, 0)
}

// openOnTargetBefore is the numbered heart of a group's move.
func (s *shift) openOnTargetBefore(ctx workflow.Context, groups activities.GroupsRequest) error {
	var acts *activities.Traffic
	onTarget := groups
	onTarget.Side = api.Target
	names := api.Short(groups.Groups)
	for _, step := range []call.Action{
		call.New("step 1: fence on the source: "+names, acts.Fence, groups),
		call.New("step 2: positions stand still: "+names, acts.AwaitSettled, groups),
		call.New("step 3: translate and write positions: "+names, acts.Translate, groups),
		call.New("step 4: open on the target: "+names, acts.Unfence, onTarget),
	} {
		if err := step.Run(call.Quick(ctx, step.Summary)); err != nil {
			return err
		}
	}
	return nil
}

// undoFenceBefore closes the groups on the target and lets them read the source again: nobody was
// asked to move yet.
func (s *shift) undoFenceBefore(ctx workflow.Context, groups activities.GroupsRequest) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var acts *activities.Traffic
	onTarget := groups
	onTarget.Side = api.Target
	names := api.Short(groups.Groups)
	shut := call.New("undo: close on the target: "+names, acts.Fence, onTarget)
	if err := shut.Run(call.Quick(ctx, shut.Summary)); err != nil {
		s.Note(ctx, "undo: %s", call.RootMessage(err))
	}
	lift := call.New("undo: lift the fence on the source: "+names, acts.Unfence, groups)
	if err := lift.Run(call.Quick(ctx, lift.Summary)); err != nil {
		s.Note(ctx, "undo: %s", call.RootMessage(err))
	}
	s.Note(ctx, "fences on the source lifted: %s", names)
}

// planWavesBefore is of runs that are older than change.Bounded: their inventory stands in the
// history.
func (s *shift) planWavesBefore(inventory api.Inventory) ([]activities.Wave, error) {
	if inventory.Whole == nil {
		return nil, temporal.NewNonRetryableApplicationError(
			"the inventory stands in a document, which a run of an older "+
				"release can't read: go back, and start the migration again",
			activities.InvalidType,
			nil,
		)
	}
	readers := map[string][]string{}
	for _, t := range inventory.Whole.Topics {
		readers[t.Name] = t.Readers
	}
	if s.Plan.Traffic.Mode == plan.ModeGateway {
		return activities.WavesOf(*inventory.Whole, s.Plan.GatewayWaves(readers)), nil
	}
	return activities.WavesOf(*inventory.Whole, s.Plan.Waves(readers)), nil
}

// moveProducersBefore asks for the producers of all topics of the wave. Ordered topics go one by
// one.
func (s *shift) moveProducersBefore(ctx workflow.Context, w activities.Wave) error {
	topics, _ := w.Topics.Inline()
	all, _ := w.Ordered.Inline()
	var ordered []string
	for _, t := range topics {
		if slices.Contains(all, t) {
			ordered = append(ordered, t)
		}
	}
	s.ForgetReleased()
	var moves []func(workflow.Context) error
	if w.Free.Len() > 0 {
		moves = append(moves, func(ctx workflow.Context) error {
			if err := s.AwaitProducers(ctx, api.Source, w.Free, s.target.NameServers,
				0); err != nil {
				return err
			}
			return s.AwaitDrained(ctx, w.Free)
		})
	}
	for _, t := range ordered {
		moves = append(moves, func(ctx workflow.Context) error { return s.moveOrderedBefore(ctx, t) })
	}
	return call.Together(ctx, moves)
}

func (s *shift) moveOrderedBefore(ctx workflow.Context, name string) error {
	var acts *activities.Traffic
	topic := api.Some(name)
	onTarget := activities.TopicsRequest{Request: s.Request(), Side: api.Target, Topics: topic}
	shut := call.New("read-only on the target: "+name, acts.CloseTopics, onTarget)
	if err := shut.Run(call.Quick(ctx, shut.Summary)); err != nil {
		return err
	}
	if err := s.AwaitProducers(ctx, api.Source, topic, s.target.NameServers, 0); err != nil {
		return err
	}
	if err := s.AwaitDrained(ctx, topic); err != nil {
		return err
	}
	return workflow.ExecuteActivity(call.Quick(ctx, "open on the target: "+name), acts.OpenTopics, onTarget).
		Get(ctx, nil)
}
