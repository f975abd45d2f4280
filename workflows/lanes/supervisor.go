package lanes

import (
	"errors"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/workflows/stage"
)

// supervisor runs the long activities of a service until its workflow is told to stop, or goes
// back.
type supervisor struct {
	*stage.Run
	// start starts the activities.
	start func(workflow.Context) []workflow.Future
	// ended is told how each of them ended, in their order.
	ended func(i int, err error)
	// again says that they are to start again, with what was decided since.
	again bool
}

// serve begins again each time when something was decided that the activities must know. It ends
// also when that is so and the history has become long.
func (s *supervisor) serve(ctx workflow.Context) error {
	for {
		s.again = false
		if err := s.once(ctx); err != nil || !s.again || s.isOver() || s.isLong(ctx) {
			return err
		}
	}
}

// isOver reports whether the activities are to end, whatever was decided.
func (s *supervisor) isOver() bool { return s.Stopped || s.Back != nil }

// once runs the activities until something is said, then cancels them and waits for their
// checkpoints. One that ends by itself has failed for good: the rest is stopped and its error is
// the workflow's.
func (s *supervisor) once(ctx workflow.Context) error {
	serving, cancel := workflow.WithCancel(ctx)
	defer cancel()
	running := s.start(serving)
	ended := func() bool {
		for _, f := range running {
			if f.IsReady() {
				return true
			}
		}
		return false
	}
	if err := s.Await(ctx, "runs until stop", func() bool { return s.isOver() || s.again || ended() }); err != nil &&
		!temporal.IsCanceledError(err) {
		return err
	}
	asked := !ended()
	cancel()
	disconnected, release := workflow.NewDisconnectedContext(ctx)
	defer release()
	var failed error
	for i, f := range running {
		err := f.Get(disconnected, nil)
		s.ended(i, err)
		if err := failure(err, asked); err != nil {
			failed = err
		}
	}
	if failed == nil && ctx.Err() != nil {
		return ctx.Err()
	}
	if !s.again || failed != nil {
		s.Detail(disconnected, "stopped")
	}
	return failed
}

// failure is the error that ends a service. After its activities were asked to end, a time-out is
// an end too: the worker that ran them is gone.
func failure(err error, asked bool) error {
	var late *temporal.TimeoutError
	if temporal.IsCanceledError(err) || asked && errors.As(err, &late) {
		return nil
	}
	return err
}
