package stage

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

const (
	// MostParts is how many activities work on parts of one long list at the same time: each asks
	// every broker, and a worker runs the parts of all migrations. It bounds what is pending, too.
	MostParts = 8
	// leastPart is how many topics one of them has at least: one look at a hundred takes about a
	// second, so that more activities bring nothing.
	leastPart = 100
	// BatchSize is how many groups are fenced, or opened, together: their names stand in the
	// history, as what opens them again mustn't need the store, and a hundred groups or two are
	// translated within the fence budget.
	BatchSize = 200
)

// Parts cuts a list for activities that work on it at the same time. Runs of older releases work on
// the whole list.
func (run *Run) Parts(names api.Names) []api.Names {
	if !run.Bounded {
		return []api.Names{names}
	}
	return names.Parts(MostParts, leastPart)
}

// Batches cuts a list for activities that work on it one after another.
func (run *Run) Batches(names api.Names, size int) []api.Names {
	if !run.Bounded {
		size = max(1, names.Len())
	}
	return names.Chunks(size)
}

// MostAtOnce is how many groups a survey names; 0 are all, for runs of older releases.
func (run *Run) MostAtOnce() int {
	if !run.Bounded {
		return 0
	}
	return BatchSize
}

// EachBatch does something with groups, a batch after another, with their names at hand.
func (run *Run) EachBatch(
	ctx workflow.Context, groups api.Names, do func(workflow.Context, []string) error,
) error {
	for i, part := range run.Batches(groups, BatchSize) {
		if err := run.BetweenBatches(ctx, i); err != nil {
			return err
		}
		names, err := run.read(ctx, part)
		if err != nil {
			return err
		}
		if err := do(ctx, names); err != nil {
			return err
		}
	}
	return nil
}

// BetweenBatches is a checkpoint before each batch but the first, which the step's own stands
// before: no further group is fenced, or led to the target, while lanes don't run.
func (run *Run) BetweenBatches(ctx workflow.Context, i int) error {
	if i == 0 || !change.Made(ctx, change.Between) {
		return nil
	}
	return run.Checkpoint(ctx)
}

// read returns the names of a short list, wherever it stands.
func (run *Run) read(ctx workflow.Context, list api.Names) ([]string, error) {
	names, inline := list.Inline()
	if inline {
		return names, nil
	}
	var acts *activities.Assess
	request := activities.NamesRequest{Request: run.Request(), Names: list}
	err := workflow.ExecuteActivity(call.Quick(ctx, fmt.Sprintf("names of %d groups", list.Len())),
		acts.ReadNames, request).Get(ctx, &names)
	return names, err
}
