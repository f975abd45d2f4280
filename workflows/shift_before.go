package workflows

import (
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// moveGroupsBefore is of runs that are older than changeHealthyFirst.
func (s *shift) moveGroupsBefore(ctx workflow.Context, groups []string, rest activities.GroupsRequest) (err error) {
	if len(rest.Groups) > 0 {
		asked := false
		defer func() { // the undo stands before the first write; once applications are asked to move, only Rollback goes back
			if err != nil && !asked {
				s.undoFenceBefore(ctx, rest)
			}
		}()
		if err := s.openOnTargetBefore(ctx, rest); err != nil {
			return err
		}
		asked = true
	}
	return s.awaitGroups(ctx, activities.Source, groups, s.target.NameServers, 0)
}

// openOnTargetBefore is the numbered heart of a group's move.
func (s *shift) openOnTargetBefore(ctx workflow.Context, groups activities.GroupsRequest) error {
	var acts *activities.Traffic
	onTarget := groups
	onTarget.Side = activities.Target
	names := short(groups.Groups)
	for _, step := range []struct {
		summary  string
		activity any
		request  activities.GroupsRequest
	}{
		{"step 1: fence on the source: " + names, acts.Fence, groups},
		{"step 2: positions stand still: " + names, acts.AwaitSettled, groups},
		{"step 3: translate and write positions: " + names, acts.Translate, groups},
		{"step 4: open on the target: " + names, acts.Unfence, onTarget},
	} {
		if err := workflow.ExecuteActivity(quick(ctx, step.summary), step.activity, step.request).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// undoFenceBefore closes the groups on the target and lets them read the source again: nobody was asked to move yet.
func (s *shift) undoFenceBefore(ctx workflow.Context, groups activities.GroupsRequest) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var acts *activities.Traffic
	onTarget := groups
	onTarget.Side = activities.Target
	names := short(groups.Groups)
	if err := workflow.ExecuteActivity(quick(ctx, "undo: close on the target: "+names), acts.Fence, onTarget).Get(ctx, nil); err != nil {
		s.note(ctx, "undo: %s", rootMessage(err))
	}
	if err := workflow.ExecuteActivity(quick(ctx, "undo: lift the fence on the source: "+names), acts.Unfence, groups).Get(ctx, nil); err != nil {
		s.note(ctx, "undo: %s", rootMessage(err))
	}
	s.note(ctx, "fences on the source lifted: %s", names)
}
