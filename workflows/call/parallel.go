package call

import "go.temporal.io/sdk/workflow"

// Together runs moves side by side and returns the first error, after all have ended.
func Together(ctx workflow.Context, moves []func(workflow.Context) error) error {
	ctx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	var first error
	wg := workflow.NewWaitGroup(ctx)
	wg.Add(len(moves))
	for _, move := range moves {
		workflow.Go(ctx, func(ctx workflow.Context) {
			defer wg.Done()
			if err := move(ctx); err != nil && first == nil {
				first = err
				cancel()
			}
		})
	}
	wg.Wait(ctx)
	return first
}

// AllOf runs the parts of one thing side by side; the only one, here.
func AllOf(ctx workflow.Context, parts []func(workflow.Context) error) error {
	if len(parts) == 1 {
		return parts[0](ctx)
	}
	return Together(ctx, parts)
}
