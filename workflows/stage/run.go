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
	"rocketshift/workflows/report"
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
// together, in publish.
type Run struct {
	Plan      plan.Plan
	unchecked json.RawMessage // the plan as it was given, while nobody has checked it
	Status    api.Status

	Bounded bool // what it asks for and tells fits in a history, however large the clusters are

	Children *Children
	given    map[string]api.Approval // handed on to the child that asks, by what they answer
	told     int64                   // number of the last report to the parent: no less than its time in ns

	toldFields map[string]json.RawMessage // what the parent knows by it
	untold     bool                       // something may have changed since
	telling    bool                       // a report is on its way
	hideLeft   func()                     // takes groups that are left asked off the page
	Active     string                     // the child that steering is forwarded to
	Parent     *workflow.Execution

	handedOn int64            // approvals given to stages so far
	judged   map[int64]string // why a stage refused one, by its number; empty if it took it
	// how many approvals there were when a question was first put, of the gates that are asked now
	firstPut map[string]int

	Held        *api.Steering
	Back        *api.Steering // asked, and not done yet
	GoingBack   bool          // Rollback is being done or was
	numbered    int64         // of the newest word on what is missing
	Brokers     []string      // of the source, as Assess found them; empty while it hasn't
	missing     string        // what doesn't run that this workflow needs; empty while everything does
	toldMissing func()        // takes it off the page
	Retry       bool          // a person wants it tried again at once
	Stopped     bool
	Taking      int          // signals that are being taken
	released    api.Released // said since the last ask, accumulated
	all         bool         // a released message with empty lists came since the last ask

	attributes bool // search attributes are registered; decided once per run
	shown      [3]string
}

// New registers the handlers, before anything else happens, so that no early message is
// lost.
func New(ctx workflow.Context, kind string, in api.MigrationInput) (*Run, error) {
	info := workflow.GetInfo(ctx)
	d := &Run{
		Status:   api.Status{Name: in.Plan.Name, Type: kind, Stage: kind, State: api.StateRunning},
		Children: newChildren(), given: map[string]api.Approval{}, judged: map[int64]string{},
		firstPut: map[string]int{},
		Parent:   info.ParentWorkflowExecution,
		told:     info.WorkflowStartTime.UnixNano(),
	}
	if in.Inventory != nil {
		d.Brokers = in.Inventory.SourceBrokers()
	}
	d.usePlan(ctx, in)
	err := workflow.SetQueryHandlerWithOptions(ctx, api.StatusQuery,
		func() (api.Status, error) { return d.View(), nil },
		workflow.QueryHandlerOptions{Description: "What runs, what is done, what is waited for"})
	if err != nil {
		return nil, err
	}
	if err := message.Register(ctx, d, d.messages()...); err != nil {
		return nil, err
	}
	err = workflow.SideEffect(ctx,
		func(ctx workflow.Context) any { return areSearched(ctx) }).Get(&d.attributes)
	d.Bounded = change.Made(ctx, change.Bounded)
	d.startTelling(ctx)
	return d, err
}

// Execute is the life of every workflow: a plan that can't work fails at once, with every problem in
// one text; then the story.
func (d *Run) Execute(ctx workflow.Context, story func(workflow.Context) error) (api.Status, error) {
	if err := d.checkPlan(ctx); err != nil {
		return d.close(ctx, err)
	}
	if err := d.checkID(ctx); err != nil {
		return d.close(ctx, err)
	}
	if err := d.Plan.CheckSize(); err != nil && d.Bounded {
		return d.close(ctx, temporal.NewNonRetryableApplicationError(err.Error(), activities.InvalidType, nil))
	}
	d.Publish(ctx)
	return d.close(ctx, story(ctx))
}

// Note remembers one line for the status.
func (d *Run) Note(ctx workflow.Context, format string, args ...any) {
	line := workflow.Now(ctx).UTC().Format("15:04:05") + " " + fmt.Sprintf(format, args...)
	d.Status.Notes = append(d.Status.Notes, line)
	if extra := len(d.Status.Notes) - MaxNotes; extra > 0 {
		d.Status.Notes = slices.Clone(d.Status.Notes[extra:])
	}
}

// Detail sets the one line that says what this workflow is at.
func (d *Run) Detail(ctx workflow.Context, format string, args ...any) {
	d.Status.Detail = fmt.Sprintf(format, args...)
	d.Publish(ctx)
}

// Wait adds an entry to what is waited for and returns the function that takes it away again.
func (d *Run) Wait(ctx workflow.Context, w api.Waiting) func() {
	w.WorkflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	w.Since = workflow.Now(ctx)
	d.Status.Waiting = append(d.Status.Waiting, w)
	d.Publish(ctx)
	return func() {
		d.Status.Waiting = slices.DeleteFunc(d.Status.Waiting, func(o api.Waiting) bool {
			return o.Kind == w.Kind && o.Gate == w.Gate && o.Text == w.Text
		})
		d.Publish(ctx)
	}
}

// Checkpoint stands between two steps: it stops for `hold`, and ends the work for `back`.
func (d *Run) Checkpoint(ctx workflow.Context) error {
	for d.IsHeld() && d.Back == nil {
		held, missing := d.Held, d.missing
		done := func() {}
		// else it stands on the page already
		if held != nil && !d.HoldIsShown() || held == nil && d.toldMissing == nil {
			done = d.Wait(ctx, api.Waiting{
				Kind: api.WaitingGate, Gate: api.ResumeName,
				Text: HoldText(held, missing),
			})
		}
		err := d.Await(ctx, "held: waiting for resume or back", func() bool {
			// another cause: another sentence
			other := d.missing != missing || d.missing != "" && d.Held != held
			return !d.IsHeld() || d.Back != nil || other
		})
		done()
		if err != nil {
			return err
		}
	}
	if d.Back != nil {
		return ErrBack
	}
	return ctx.Err()
}

// IsHeld reports whether the next step has to wait, for a person or for what doesn't run. The way
// back waits for persons alone: it opens what is fenced also where no lane runs.
func (d *Run) IsHeld() bool { return d.Held != nil || d.missing != "" && !d.IsGoingBack() }

// Await waits with a timer that has a summary, so that the history and the Web UI show what is
// waited for.
func (d *Run) Await(ctx workflow.Context, summary string, condition func() bool) error {
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
func (d *Run) Step(ctx workflow.Context, work func(workflow.Context) error) error {
	if err := d.Checkpoint(ctx); err != nil {
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
	canceled := workflow.Await(ctx, func() bool { return done || d.Back != nil })
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
func (d *Run) Publish(ctx workflow.Context) {
	s := d.View()
	if d.Status.State == api.StateRunning && d.IsHeld() {
		s.State = api.StateHeld
	}
	workflow.SetCurrentDetails(ctx, api.Details(s))
	d.upsert(ctx, s)
	switch {
	case d.Parent != nil && d.Bounded:
		d.untold = true
	case d.Parent != nil:
		// Nobody waits for the answer: a parent that is gone has nothing to show.
		d.told = max(d.told+1, workflow.Now(ctx).UnixNano()) // greater after a reset too
		workflow.SignalExternalWorkflow(ctx, d.Parent.ID, "", report.Signal, report.Report{
			WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Number: d.told, Status: &d.Status,
		})
	}
}

// Request is what every activity is told.
func (d *Run) Request() activities.Request {
	return activities.Request{Plan: d.Plan, Bounded: d.Bounded}
}
