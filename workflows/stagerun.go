package workflows

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

// longestWait re-arms the timer of a wait without a deadline; a day costs one action.
const longestWait = 24 * time.Hour

// errBack ends whatever runs because somebody asked to go back.
var errBack = errors.New("back was asked")

// maxNotes bounds what the status repeats of steering and ignored messages; the history has them
// all.
const maxNotes = 20

// stageRun is what every workflow of a migration has in front of people: the status, what is waited
// for, and what was asked. Details, search attributes and the parent's copy of the status change
// together, in publish.
type stageRun struct {
	plan      plan.Plan
	unchecked json.RawMessage // the plan as it was given, while nobody has checked it
	status    api.Status

	bounded bool // what it asks for and tells fits in a history, however large the clusters are

	reports map[string]api.Status   // last status of each child, by workflow id
	given   map[string]api.Approval // handed on to the child that asks, by what they answer
	// number of the newest report of each child: signals may arrive in another order
	heard  map[string]int64
	fields map[string]*report.Heard // what each child told so far, by workflow id
	gone   map[string]string        // the last run of each child that has ended
	told   int64                    // number of the last report to the parent: no less than its time in ns

	toldFields map[string]json.RawMessage // what the parent knows by it
	untold     bool                       // something may have changed since
	telling    bool                       // a report is on its way
	hideLeft   func()                     // takes groups that are left asked off the page
	// ids in the order of their start, so that the view is deterministic
	children []string
	active   string // the child that steering is forwarded to
	parent   *workflow.Execution

	handedOn int64            // approvals given to stages so far
	judged   map[int64]string // why a stage refused one, by its number; empty if it took it
	// how many approvals there were when a question was first put, of the gates that are asked now
	firstPut map[string]int

	held        *api.Steering
	back        *api.Steering // asked, and not done yet
	goingBack   bool          // Rollback is being done or was
	numbered    int64         // of the newest word on what is missing
	brokers     []string      // of the source, as Assess found them; empty while it hasn't
	missing     string        // what doesn't run that this workflow needs; empty while everything does
	toldMissing func()        // takes it off the page
	retry       bool          // a person wants it tried again at once
	stopped     bool
	taking      int          // signals that are being taken
	released    api.Released // said since the last ask, accumulated
	all         bool         // a released message with empty lists came since the last ask

	attributes bool // search attributes are registered; decided once per run
	shown      [3]string
}

// newStageRun registers the handlers, before anything else happens, so that no early message is
// lost.
func newStageRun(ctx workflow.Context, kind string, in api.MigrationInput) (*stageRun, error) {
	info := workflow.GetInfo(ctx)
	d := &stageRun{
		status:  api.Status{Name: in.Plan.Name, Type: kind, Stage: kind, State: api.StateRunning},
		reports: map[string]api.Status{}, given: map[string]api.Approval{}, heard: map[string]int64{},
		fields: map[string]*report.Heard{}, gone: map[string]string{}, judged: map[int64]string{},
		firstPut: map[string]int{},
		parent:   info.ParentWorkflowExecution,
		told:     info.WorkflowStartTime.UnixNano(),
	}
	if in.Inventory != nil {
		d.brokers = in.Inventory.SourceBrokers()
	}
	d.usePlan(ctx, in)
	err := workflow.SetQueryHandlerWithOptions(ctx, api.StatusQuery,
		func() (api.Status, error) { return d.view(), nil },
		workflow.QueryHandlerOptions{Description: "What runs, what is done, what is waited for"})
	if err != nil {
		return nil, err
	}
	if err := message.Register(ctx, d, d.messages()...); err != nil {
		return nil, err
	}
	err = workflow.SideEffect(ctx,
		func(ctx workflow.Context) any { return areSearched(ctx) }).Get(&d.attributes)
	d.bounded = change.Made(ctx, change.Bounded)
	d.startTelling(ctx)
	return d, err
}

// run is the life of every workflow: a plan that can't work fails at once, with every problem in
// one text; then the story.
func (d *stageRun) run(ctx workflow.Context, story func(workflow.Context) error) (api.Status, error) {
	if err := d.checkPlan(ctx); err != nil {
		return d.close(ctx, err)
	}
	if err := d.checkID(ctx); err != nil {
		return d.close(ctx, err)
	}
	if err := d.plan.CheckSize(); err != nil && d.bounded {
		return d.close(ctx, temporal.NewNonRetryableApplicationError(err.Error(), activities.InvalidType, nil))
	}
	d.publish(ctx)
	return d.close(ctx, story(ctx))
}

// note remembers one line for the status.
func (d *stageRun) note(ctx workflow.Context, format string, args ...any) {
	line := workflow.Now(ctx).UTC().Format("15:04:05") + " " + fmt.Sprintf(format, args...)
	d.status.Notes = append(d.status.Notes, line)
	if extra := len(d.status.Notes) - maxNotes; extra > 0 {
		d.status.Notes = slices.Clone(d.status.Notes[extra:])
	}
}

// detail sets the one line that says what this workflow is at.
func (d *stageRun) detail(ctx workflow.Context, format string, args ...any) {
	d.status.Detail = fmt.Sprintf(format, args...)
	d.publish(ctx)
}

// wait adds an entry to what is waited for and returns the function that takes it away again.
func (d *stageRun) wait(ctx workflow.Context, w api.Waiting) func() {
	w.WorkflowID = workflow.GetInfo(ctx).WorkflowExecution.ID
	w.Since = workflow.Now(ctx)
	d.status.Waiting = append(d.status.Waiting, w)
	d.publish(ctx)
	return func() {
		d.status.Waiting = slices.DeleteFunc(d.status.Waiting, func(o api.Waiting) bool {
			return o.Kind == w.Kind && o.Gate == w.Gate && o.Text == w.Text
		})
		d.publish(ctx)
	}
}

// checkpoint stands between two steps: it stops for `hold`, and ends the work for `back`.
func (d *stageRun) checkpoint(ctx workflow.Context) error {
	for d.isHeld() && d.back == nil {
		held, missing := d.held, d.missing
		done := func() {}
		// else it stands on the page already
		if held != nil && !d.holdIsShown() || held == nil && d.toldMissing == nil {
			done = d.wait(ctx, api.Waiting{
				Kind: api.WaitingGate, Gate: api.ResumeName,
				Text: holdText(held, missing),
			})
		}
		err := d.await(ctx, "held: waiting for resume or back", func() bool {
			// another cause: another sentence
			other := d.missing != missing || d.missing != "" && d.held != held
			return !d.isHeld() || d.back != nil || other
		})
		done()
		if err != nil {
			return err
		}
	}
	if d.back != nil {
		return errBack
	}
	return ctx.Err()
}

// isHeld reports whether the next step has to wait, for a person or for what doesn't run. The way
// back waits for persons alone: it opens what is fenced also where no lane runs.
func (d *stageRun) isHeld() bool { return d.held != nil || d.missing != "" && !d.isGoingBack() }

// await waits with a timer that has a summary, so that the history and the Web UI show what is
// waited for.
func (d *stageRun) await(ctx workflow.Context, summary string, condition func() bool) error {
	for {
		ok, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: longestWait, TimerOptions: workflow.TimerOptions{Summary: summary},
		}, condition)
		if ok || err != nil {
			return err
		}
	}
}

// step runs work that `back` may interrupt: its activities are cancelled then, and step returns
// errBack once they ended.
func (d *stageRun) step(ctx workflow.Context, work func(workflow.Context) error) error {
	if err := d.checkpoint(ctx); err != nil {
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
	canceled := workflow.Await(ctx, func() bool { return done || d.back != nil })
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
	return errBack
}

// publish shows the status everywhere that people look: current details, search attributes, the
// parent's copy.
func (d *stageRun) publish(ctx workflow.Context) {
	s := d.view()
	if d.status.State == api.StateRunning && d.isHeld() {
		s.State = api.StateHeld
	}
	workflow.SetCurrentDetails(ctx, api.Details(s))
	d.upsert(ctx, s)
	switch {
	case d.parent != nil && d.bounded:
		d.untold = true
	case d.parent != nil:
		// Nobody waits for the answer: a parent that is gone has nothing to show.
		d.told = max(d.told+1, workflow.Now(ctx).UnixNano()) // greater after a reset too
		workflow.SignalExternalWorkflow(ctx, d.parent.ID, "", report.Signal, report.Report{
			WorkflowID: workflow.GetInfo(ctx).WorkflowExecution.ID, Number: d.told, Status: &d.status,
		})
	}
}

// request is what every activity is told.
func (d *stageRun) request() activities.Request {
	return activities.Request{Plan: d.plan, Bounded: d.bounded}
}
