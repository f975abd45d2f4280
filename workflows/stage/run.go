package stage

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/change"
	"rocketshift/workflows/message"
)

// LongestWait re-arms the timer of a wait without a deadline; a day costs one action.
const LongestWait = 24 * time.Hour

// ErrBack ends whatever runs because somebody asked to go back.
var ErrBack = errors.New("back was asked")

// MaxNotes bounds what the status repeats of steering and ignored messages; the history has them
// all.
const MaxNotes = 20

// Run is what every workflow of a migration has in front of people: the status, what is waited
// for, and what was asked. Details, search attributes and the parent's copy of the status change
// together, in Publish.
type Run struct {
	Plan      plan.Plan
	unchecked json.RawMessage // the plan as it was given, while nobody has checked it
	Status    api.Status
	Bounded   bool     // what it asks for and tells fits in a history, however large the clusters are
	Brokers   []string // of the source, as Assess found them; empty while it hasn't

	Parent   *workflow.Execution
	telling  telling // what the parent knows
	Children *Children
	Active   string // the child that steering is forwarded to

	Held      *api.Steering
	Back      *api.Steering // asked, and not done yet
	GoingBack bool          // Rollback is being done or was
	Retry     bool          // a person wants it tried again at once
	Stopped   bool
	Taking    int // signals that are being taken

	approvals approvals
	released  api.Released // said since the last ask, accumulated
	all       bool         // a released message with empty lists came since the last ask

	missing     string // what doesn't run that this workflow needs; empty while everything does
	numbered    int64  // of the newest word on that
	toldMissing func() // takes it off the page
	hideLeft    func() // takes groups that are left asked off the page

	attributes bool // search attributes are registered; decided once per run
	shown      [3]string
}

// New registers the handlers, before anything else happens, so that no early message is
// lost.
func New(ctx workflow.Context, kind string, in api.MigrationInput) (*Run, error) {
	info := workflow.GetInfo(ctx)
	run := &Run{
		Status:   api.Status{Name: in.Plan.Name, Type: kind, Stage: kind, State: api.StateRunning},
		Children: newChildren(), approvals: newApprovals(),
		Parent:  info.ParentWorkflowExecution,
		telling: telling{number: info.WorkflowStartTime.UnixNano()},
	}
	if in.Inventory != nil {
		run.Brokers = in.Inventory.SourceBrokers()
	}
	run.usePlan(ctx, in)
	err := workflow.SetQueryHandlerWithOptions(ctx, api.StatusQuery,
		func() (api.Status, error) { return run.View(), nil },
		workflow.QueryHandlerOptions{Description: "What runs, what is done, what is waited for"})
	if err != nil {
		return nil, err
	}
	if err := message.Register(ctx, run, run.messages()...); err != nil {
		return nil, err
	}
	err = workflow.SideEffect(ctx,
		func(ctx workflow.Context) any { return areSearched(ctx) }).Get(&run.attributes)
	run.Bounded = change.Made(ctx, change.Bounded)
	run.startTelling(ctx)
	return run, err
}

// Execute is the life of every workflow: a plan that can't work fails at once, with every problem
// in one text; then the story.
func (run *Run) Execute(ctx workflow.Context, story func(workflow.Context) error) (api.Status, error) {
	if err := run.checkPlan(ctx); err != nil {
		return run.close(ctx, err)
	}
	if err := run.checkID(ctx); err != nil {
		return run.close(ctx, err)
	}
	if err := run.Plan.CheckSize(); err != nil && run.Bounded {
		return run.close(ctx, temporal.NewNonRetryableApplicationError(err.Error(), activities.InvalidType, nil))
	}
	run.Publish(ctx)
	return run.close(ctx, story(ctx))
}

// Note remembers one line for the status.
func (run *Run) Note(ctx workflow.Context, format string, args ...any) {
	line := workflow.Now(ctx).UTC().Format("15:04:05") + " " + fmt.Sprintf(format, args...)
	run.Status.Notes = append(run.Status.Notes, line)
	if extra := len(run.Status.Notes) - MaxNotes; extra > 0 {
		run.Status.Notes = slices.Clone(run.Status.Notes[extra:])
	}
}

// Detail sets the one line that says what this workflow is at.
func (run *Run) Detail(ctx workflow.Context, format string, args ...any) {
	run.Status.Detail = fmt.Sprintf(format, args...)
	run.Publish(ctx)
}

// Wait adds an entry to what is waited for and returns the function that takes it away again.
func (run *Run) Wait(ctx workflow.Context, w api.Waiting) func() {
	w.WorkflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	w.Since = workflow.Now(ctx)
	run.Status.Waiting = append(run.Status.Waiting, w)
	run.Publish(ctx)
	return func() {
		run.Status.Waiting = slices.DeleteFunc(run.Status.Waiting, func(o api.Waiting) bool {
			return o.Kind == w.Kind && o.Gate == w.Gate && o.Text == w.Text
		})
		run.Publish(ctx)
	}
}

// Checkpoint stands between two steps: it stops for `hold`, and ends the work for `back`.
func (run *Run) Checkpoint(ctx workflow.Context) error {
	for run.IsHeld() && run.Back == nil {
		held, missing := run.Held, run.missing
		done := func() {}
		// else it stands on the page already
		if held != nil && !run.HoldIsShown() || held == nil && run.toldMissing == nil {
			done = run.Wait(ctx, api.Waiting{
				Kind: api.WaitingGate, Gate: api.ResumeName,
				Text: holdText(held, missing),
			})
		}
		err := run.Await(ctx, "held: waiting for resume or back", func() bool {
			// another cause: another sentence
			other := run.missing != missing || run.missing != "" && run.Held != held
			return !run.IsHeld() || run.Back != nil || other
		})
		done()
		if err != nil {
			return err
		}
	}
	if run.Back != nil {
		return ErrBack
	}
	return ctx.Err()
}

// IsHeld reports whether the next step has to wait, for a person or for what doesn't run. The way
// back waits for persons alone: it opens what is fenced also where no lane runs.
func (run *Run) IsHeld() bool { return run.Held != nil || run.missing != "" && !run.IsGoingBack() }

// Await waits with a timer that has a summary, so that the history and the Web UI show what is
// waited for.
func (run *Run) Await(ctx workflow.Context, summary string, condition func() bool) error {
	for {
		ok, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: LongestWait, TimerOptions: workflow.TimerOptions{Summary: summary},
		}, condition)
		if ok || err != nil {
			return err
		}
	}
}

// Step runs work that `back` may interrupt: its activities are cancelled then, and step returns
// ErrBack once they ended.
func (run *Run) Step(ctx workflow.Context, work func(workflow.Context) error) error {
	if err := run.Checkpoint(ctx); err != nil {
		return err
	}
	stepCtx, cancel := workflow.WithCancel(ctx)
	defer cancel()
	var err error
	done := false
	workflow.Go(stepCtx, func(ctx workflow.Context) {
		err = work(ctx)
		done = true
	})
	canceled := workflow.Await(ctx, func() bool { return done || run.Back != nil })
	if done {
		return err
	}
	// The work has its own undo to do: it is cancelled, and its end is waited for, whoever asked.
	cancel()
	disconnected, stop := workflow.NewDisconnectedContext(ctx)
	defer stop()
	_ = workflow.Await(disconnected, func() bool { return done })
	if canceled != nil {
		return canceled
	}
	return ErrBack
}

// Publish shows the status everywhere that people look: current details, search attributes, the
// parent's copy.
func (run *Run) Publish(ctx workflow.Context) {
	s := run.View()
	if run.Status.State == api.StateRunning && run.IsHeld() {
		s.State = api.StateHeld
	}
	workflow.SetCurrentDetails(ctx, api.Details(s))
	run.upsert(ctx, s)
	run.tellParent(ctx)
}

// Request is what every activity is told.
func (run *Run) Request() activities.Request {
	return activities.Request{Plan: run.Plan, Bounded: run.Bounded}
}
