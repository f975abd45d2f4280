package workflows

import (
	"errors"
	"math"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/plan"
)

// Migration moves what the plan selects from the source to the target. It runs the stages as children and keeps what people
// need in one place: one status, one address for approvals and steering.
func Migration(ctx workflow.Context, in MigrationInput) (Status, error) {
	d, err := newDesk(ctx, MigrationType, in)
	if err != nil {
		return Status{}, err
	}
	m := &migration{desk: d}
	return d.run(ctx, m.story)
}

type migration struct {
	*desk
	inventory *activities.Assessment
	services  []service // Replicate and SyncOffsets: they stay until the end
	shifted   bool      // a Shift was started: going back needs a Rollback
	ending    bool      // services are being stopped on purpose
}

type service struct {
	id     string
	future workflow.ChildWorkflowFuture
}

// story is the whole migration; whatever its end, the services are stopped and the report is written.
func (m *migration) story(ctx workflow.Context) error {
	m.rows()
	err := m.goForward(ctx)
	if errors.Is(err, errBack) {
		err = m.goBack(ctx)
	}
	m.stopServices(ctx)
	m.report(ctx, err)
	return err
}

func (m *migration) goForward(ctx workflow.Context) error {
	// Step 1: look before anything is spent or written.
	if err := m.assess(ctx); err != nil {
		return err
	}
	// Step 2: have a target. Step 3: make its topics and groups.
	for _, name := range []string{PurchaseType, ImportMetadataType} {
		if err := m.insist(ctx, name); err != nil {
			return err
		}
	}
	// Step 4: copy messages and positions from now on, and wait until the copy is close.
	if err := m.startServices(ctx); err != nil {
		return err
	}
	if err := m.awaitCaughtUp(ctx); err != nil {
		return err
	}
	// Step 5: prove the copy. Step 6: move applications. Step 7: the ledger, and the point of no return.
	last := []string{VerifyType, ShiftType, FinalizeType}
	if m.plan.Traffic.Mode == plan.ModeGateway {
		last = slices.Insert(last, 2, EndPhaseType)
	}
	for _, name := range last {
		m.shifted = m.shifted || name == ShiftType
		if err := m.insist(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// assess fails the migration when Assess refuses: nothing has been bought or written yet.
func (m *migration) assess(ctx workflow.Context) error {
	if err := m.child(ctx, AssessType); err != nil {
		return err
	}
	m.inventory = m.reports[StageID(m.plan, AssessType)].Assessment
	return nil
}

// insist runs a stage until it succeeds. A stage that fails holds the migration: a person repairs the cause and resumes, or
// goes back. Ending here instead would strand the applications that have moved.
func (m *migration) insist(ctx workflow.Context, name string) error {
	for {
		err := m.child(ctx, name)
		if err == nil || errors.Is(err, errBack) || temporal.IsCanceledError(err) {
			return err
		}
		m.held = &Steering{By: "rocketshift", Reason: name + " failed: " + rootMessage(err)}
		m.note(ctx, "held: %s", m.held.Reason)
		if err := m.checkpoint(ctx); err != nil {
			return err
		}
	}
}

// startServices starts Replicate and SyncOffsets and watches that they stay.
func (m *migration) startServices(ctx workflow.Context) error {
	for _, name := range []string{ReplicateType, SyncOffsetsType} {
		if err := m.checkpoint(ctx); err != nil {
			return err
		}
		id := StageID(m.plan, name)
		m.begin(ctx, name, id)
		future := workflow.ExecuteChildWorkflow(stage(ctx, id, name+" of "+m.plan.Name), name, m.input())
		if err := future.GetChildWorkflowExecution().Get(ctx, nil); err != nil {
			return alreadyRunning(name, id, err)
		}
		m.services = append(m.services, service{id: id, future: future})
		workflow.GoNamed(ctx, "watch "+name, func(ctx workflow.Context) { m.watch(ctx, name, id, future) })
	}
	return nil
}

// watch holds the migration if a service ends before its time: without it nothing may move.
func (m *migration) watch(ctx workflow.Context, name, id string, future workflow.ChildWorkflowFuture) {
	var last Status
	err := future.Get(ctx, &last)
	m.heard[id] = math.MaxInt64
	if err == nil {
		m.reports[id] = last
	}
	m.end(ctx, name, err)
	if m.ending || ctx.Err() != nil {
		return
	}
	m.held = &Steering{By: "rocketshift", Reason: name + " ended early; start it again alone with the same plan, then resume"}
	m.publish(ctx)
}

func (m *migration) awaitCaughtUp(ctx workflow.Context) error {
	var acts *activities.Replication
	return m.step(ctx, func(ctx workflow.Context) error {
		m.detail(ctx, "waiting until the copy is close behind the source")
		var state activities.ReplicationState
		err := workflow.ExecuteActivity(quick(ctx, "lag of all lanes"), acts.AwaitCaughtUp, m.request()).Get(ctx, &state)
		m.detail(ctx, "%d lanes, lag %d messages", state.Lanes, state.Lag)
		return err
	})
}

// goBack returns everything to the source. It needs no approval, and nothing stops it but a failure that a person must see.
func (m *migration) goBack(ctx workflow.Context) error {
	if !m.shifted {
		return errBack
	}
	asked := m.back
	m.back, m.goingBack = nil, true // it is being done: the rollback itself may be held and resumed
	for {
		err := m.tryRollback(ctx)
		if err == nil {
			m.back = asked
			return errBack
		}
		if temporal.IsCanceledError(err) {
			return err
		}
		m.held = &Steering{By: "rocketshift", Reason: "Rollback failed: " + rootMessage(err)}
		if err := m.checkpoint(ctx); err != nil && !errors.Is(err, errBack) {
			return err
		}
		m.back, m.held = nil, nil
	}
}

// tryRollback runs Rollback; one that ended before everything was back has failed.
func (m *migration) tryRollback(ctx workflow.Context) error {
	err := m.child(ctx, RollbackType)
	state := m.reports[StageID(m.plan, RollbackType)].State
	if err == nil && state != StateDone && changed(ctx, changeBackTwice) {
		err = temporal.NewNonRetryableApplicationError("it ended before everything was back (state "+state+"): resume tries again",
			"Unfinished", nil)
		m.end(ctx, RollbackType, err)
	}
	return err
}

// stopServices ends Replicate and SyncOffsets and waits for their last checkpoint.
func (m *migration) stopServices(ctx workflow.Context) {
	m.ending = true
	if ctx.Err() != nil {
		return // cancelled: the children were asked to end by the cancellation itself
	}
	for _, s := range m.services {
		if err := workflow.SignalExternalWorkflow(ctx, s.id, "", stopName, struct{}{}).Get(ctx, nil); err != nil {
			m.note(ctx, "%s was not running at the end: %s", s.id, err)
		}
	}
	for _, s := range m.services {
		_ = s.future.Get(ctx, nil) // its end is in its row, by watch
	}
}

// report writes the last status where it outlives the history. A report that can't be written is noted, not fatal.
func (m *migration) report(ctx workflow.Context, err error) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	final := m.view()
	final.Waiting, final.State = nil, finalState(err)
	if err != nil && !errors.Is(err, errBack) {
		final.Error = rootMessage(err)
	}
	var acts *activities.Reports
	var result activities.ReportResult
	request := activities.ReportRequest{Name: m.plan.Name, Document: final}
	if err := workflow.ExecuteActivity(reporting(ctx), acts.Write, request).Get(ctx, &result); err != nil {
		m.note(ctx, "the report was not written: %s", rootMessage(err))
	}
	m.status.Report = result.Path
}

func finalState(err error) string {
	switch {
	case err == nil:
		return StateDone
	case errors.Is(err, errBack):
		return StateRolledBack
	}
	return StateFailed
}
