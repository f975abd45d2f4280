package workflows

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

const (
	// serviceFirst and serviceMax space the starts of a service that ends early: a passing fault
	// costs a second, a lasting one 24 starts a day.
	serviceFirst = time.Second
	serviceMax   = time.Hour
	// serviceSteady is how long a service must have stood before the next fault counts as its
	// first: one that dies every minute costs twenty events of the history each time.
	serviceSteady = 10 * time.Minute
	// serviceProof is how long a service must stand to count as running again: one that can't work
	// fails within seconds.
	serviceProof = 30 * time.Second
)

// service is a stage that stays until the migration ends. The migration starts it again whenever it
// ends before: nothing moves without it.
type service struct {
	name, id string
	future   workflow.ChildWorkflowFuture // of its last start
	down     string                       // why it doesn't run; empty while it does
	state    serviceState
}

// serviceState is what a service is at.
type serviceState int

const (
	serviceStarts  serviceState = iota // again and again, until it runs
	serviceRuns                        // it was started, and hasn't ended
	serviceIsOver                      // it has ended, and isn't started again
	serviceAsBegun                     // of runs that are older than change.Services: it is started once
)

// keeper keeps Replicate and SyncOffsets running until the migration ends.
type keeper struct {
	m      *migration
	all    []*service
	ending bool // they are being stopped on purpose
}

// start starts Replicate and SyncOffsets, and keeps them. They end when they are told to,
// not with the migration: whatever is done to it, no queue's home stays where no lane runs.
func (k *keeper) start(ctx workflow.Context) error {
	if !change.Made(ctx, change.Services) {
		return k.startBefore(ctx)
	}
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		if k.has(name) {
			continue
		}
		if err := k.m.Checkpoint(ctx); err != nil {
			return err
		}
		s := &service{name: name, id: api.StageID(k.m.Plan, name)}
		k.all = append(k.all, s)
		disconnected, _ := workflow.NewDisconnectedContext(ctx)
		workflow.GoNamed(disconnected, "keep "+name, func(ctx workflow.Context) { k.keep(ctx, s) })
		if err := k.m.Await(ctx, name+" starts",
			func() bool { return s.state == serviceRuns || s.down != "" || k.m.Back != nil }); err != nil {
			return err
		}
	}
	return k.m.Checkpoint(ctx)
}

func (k *keeper) has(name string) bool {
	return slices.ContainsFunc(k.all, func(s *service) bool { return s.name == name })
}

// keep starts a service again with growing pauses, until the migration ends. A person's resume
// tries at once.
func (k *keeper) keep(ctx workflow.Context, s *service) {
	pause := serviceFirst
	for !k.ending {
		begun := workflow.Now(ctx)
		stood, err := k.once(ctx, s)
		if k.ending {
			break
		}
		if stood && workflow.Now(ctx).Sub(begun) > max(pause, serviceSteady) {
			pause = serviceFirst
		}
		k.lost(ctx, s, err)
		k.m.Retry = false
		if _, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: pause, TimerOptions: workflow.TimerOptions{Summary: s.name +
				" is started again"},
		}, func() bool { return k.ending || k.m.Retry }); err != nil {
			break
		}
		pause = min(2*pause, serviceMax)
	}
	s.state = serviceIsOver
}

// once runs a service until it ends, and reports whether it stood for a while.
func (k *keeper) once(ctx workflow.Context, s *service) (stood bool, err error) {
	input := k.m.input() // before its row begins anew: with what persons decided while it ran
	k.begin(ctx, s)
	s.future = workflow.ExecuteChildWorkflow(call.LastingChild(ctx, s.id, s.name+" of "+k.m.Plan.Name), s.name,
		input)
	var run workflow.Execution
	if err := s.future.GetChildWorkflowExecution().Get(ctx, &run); err != nil {
		k.m.end(ctx, s.name, err)
		return false, k.takeOver(ctx, s, err)
	}
	s.state = serviceRuns
	if k.ending { // told to stop before it had begun
		_ = workflow.SignalExternalWorkflow(ctx, s.id, "", api.StopName, struct{}{}).Get(ctx, nil)
	}
	ended, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: serviceProof, TimerOptions: workflow.TimerOptions{Summary: s.name + " stands"},
	}, s.future.IsReady)
	stood = err == nil && !ended
	if stood {
		k.found(ctx, s)
	}
	var last api.Status
	err = s.future.Get(ctx, &last)
	s.state = serviceStarts
	k.m.Children.End(s.id, k.m.Children.RunOf(s.id, run.RunID))
	if err == nil {
		k.m.Children.SetStatus(s.id, last)
	}
	k.m.Children.Silence(s.id)
	k.m.end(ctx, s.name, err)
	return stood, err
}

// takeOver ends a service that runs already: it was started alone, or by a migration that was
// terminated or reset.
func (k *keeper) takeOver(ctx workflow.Context, s *service, err error) error {
	if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return err
	}
	if err := workflow.SignalExternalWorkflow(ctx, s.id, "", api.StopName, struct{}{}).Get(ctx,
		nil); err != nil {
		return err
	}
	return fmt.Errorf("workflow %s ran already; it was told to stop, and is started anew", s.id)
}

// begin shows that a service runs. What it last told stays until it tells more.
func (k *keeper) begin(ctx workflow.Context, s *service) {
	first := s.future == nil
	stage, detail, told := k.m.Status.Stage, k.m.Status.Detail, k.m.Children.Status(s.id)
	k.m.begin(ctx, s.name, s.id)
	if !first {
		told.Detail = ""
		k.m.Children.SetStatus(s.id, told)
		k.m.Status.Stage, k.m.Status.Detail = stage, detail
		k.m.Publish(ctx)
	}
}

// lost holds everything, as a service doesn't run.
func (k *keeper) lost(ctx workflow.Context, s *service, err error) {
	why := "it ended early"
	if err != nil {
		why = call.RootMessage(err)
	}
	s.down = fmt.Sprintf("%s doesn't run: %s", s.name, why)
	k.m.Note(ctx, "held: %s", s.down)
	k.tell(ctx)
}

// found lets everything go on, if no other service is missing.
func (k *keeper) found(ctx workflow.Context, s *service) {
	if s.down == "" {
		return
	}
	s.down = ""
	k.m.Note(ctx, "%s runs again", s.name)
	k.tell(ctx)
}

// tell shows what doesn't run, here and to the stage that works now.
func (k *keeper) tell(ctx workflow.Context) {
	missing := ""
	for _, s := range k.all {
		missing = cmp.Or(missing, s.down)
	}
	k.m.ShowMissing(ctx, missing)
}

// stop ends Replicate and SyncOffsets and waits for their last checkpoint.
func (k *keeper) stop(ctx workflow.Context) {
	k.ending = true
	if ctx.Err() != nil {
		return // cancelled, and older than change.Cancel: the children were asked to end by the cancellation itself
	}
	for _, s := range k.all {
		if s.state == serviceIsOver || s.future == nil || s.future.IsReady() {
			continue
		}
		if err := workflow.SignalExternalWorkflow(ctx, s.id, "", api.StopName, struct{}{}).Get(ctx,
			nil); err != nil {
			k.m.Note(ctx, "%s was not running at the end: %s", s.id, err)
		}
	}
	for _, s := range k.all {
		if s.state == serviceAsBegun {
			_ = s.future.Get(ctx, nil)
			continue
		}
		_ = workflow.Await(ctx, func() bool { return s.state == serviceIsOver }) // its end is in its row then
	}
}
