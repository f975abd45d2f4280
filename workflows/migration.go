package workflows

import (
	"errors"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/moving"
	"rocketshift/workflows/stage"
)

// Migration moves what the plan selects from the source to the target. It runs the stages as
// children and keeps what people need in one place: one status, one address for approvals and
// steering.
func Migration(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	run, err := stage.New(ctx, api.MigrationType, in)
	if err != nil {
		return api.Status{}, err
	}
	m := &migration{Mover: moving.New(run)}
	m.services = &keeper{m: m}
	return run.Execute(ctx, m.story)
}

type migration struct {
	*moving.Mover
	inventory *api.Inventory
	services  *keeper          // of Replicate and SyncOffsets
	shifted   bool             // a Shift was started: going back needs a Rollback
	steps     []api.WaveStatus // that Shifts have begun, with what all of them did
	reopening bool             // brokers of the source are waited for that weren't there when fences were lifted
}

// story is the whole migration; whatever its end, the services are stopped and the report is
// written. A cancelled migration goes back too, with lanes that run until it is done; one that
// passed the point of no return just ends.
func (m *migration) story(ctx workflow.Context) error {
	m.rows()
	err := m.goForward(ctx)
	if !change.Made(ctx, change.Cancel) {
		return m.storyBefore(ctx, err)
	}
	cancelled := ctx.Err()
	ctx, done := workflow.NewDisconnectedContext(ctx) // whoever cancels now, it is done to the end
	defer done()
	if cancelled != nil && m.View().PointOfNoReturn == nil {
		m.Note(ctx, "cancelled: everything goes back to the source, with lanes that run until that is done")
		if m.HoldIsShown() && change.Made(ctx, change.OneHold) {
			m.HideHold()
		}
		m.Held, err = nil, stage.ErrBack
	}
	if errors.Is(err, stage.ErrBack) {
		err = m.goBack(ctx)
	}
	m.services.stop(ctx)
	if err == nil && m.Back != nil {
		m.Note(ctx, "back by %s came when the last stage had passed the point of no return: nothing goes back",
			m.Back.By)
	}
	if err == nil || errors.Is(err, stage.ErrBack) {
		m.stopLeftServices(ctx)
	}
	m.report(ctx, err)
	if cancelled != nil && errors.Is(err, stage.ErrBack) {
		m.Status.State = api.StateRolledBack
		return cancelled
	}
	return err
}

// storyBefore is the end of runs that are older than change.Cancel.
func (m *migration) storyBefore(ctx workflow.Context, err error) error {
	if errors.Is(err, stage.ErrBack) {
		err = m.goBack(ctx)
	}
	m.services.stop(ctx)
	m.report(ctx, err)
	return err
}

func (m *migration) goForward(ctx workflow.Context) error {
	// Step 0: nobody waits for what an earlier run left in the middle of a move.
	if change.Made(ctx, change.Stranded) {
		m.endLeftStages(ctx)
		m.FreeStranded(ctx)
		m.ShowLeft(ctx)
	}
	// Step 1: look before anything is spent or written.
	if err := m.assess(ctx); err != nil {
		return err
	}
	// Step 2: have a target. Step 3: make its topics and groups.
	for _, name := range []string{api.PurchaseType, api.ImportMetadataType} {
		if err := m.insist(ctx, name); err != nil {
			return err
		}
	}
	// Step 4: copy messages and positions from now on, and wait until the copy is close.
	if err := m.services.start(ctx); err != nil {
		return err
	}
	for err := m.awaitCaughtUp(ctx); err != nil; err = m.awaitCaughtUp(ctx) {
		if errors.Is(err, stage.ErrBack) || ctx.Err() != nil || !change.Made(ctx, change.Cancel) {
			return err
		}
		// an earlier run may have moved applications
		if err := m.holdFor(ctx, "the wait for the copy", err); err != nil {
			return err
		}
	}
	// Step 5: prove the copy. Step 6: move applications. Step 7: the ledger, and the point of no
	// return.
	last := []string{api.VerifyType, api.ShiftType, api.FinalizeType}
	if m.Plan.Traffic.Mode == plan.ModeGateway {
		last = slices.Insert(last, 2, api.EndPhaseType)
	}
	for _, name := range last {
		if name == api.ShiftType {
			m.shifted = true
			m.WatchTarget(ctx)
		}
		if err := m.insist(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

// assess fails the migration when Assess refuses: nothing has been bought or written yet.
func (m *migration) assess(ctx workflow.Context) error {
	for {
		err := m.child(ctx, api.AssessType)
		if err == nil {
			break
		}
		if !m.endedByHand(ctx, err) && !runsAlready(ctx, err) {
			return err
		}
		if err := m.holdFor(ctx, api.AssessType, err); err != nil {
			return err
		}
	}
	m.inventory = m.Children.Status(api.StageID(m.Plan, api.AssessType)).Assessment
	if m.inventory != nil {
		m.Brokers = m.inventory.SourceBrokers()
	}
	return nil
}

// insist runs a stage until it succeeds. A stage that fails holds the migration: a person repairs
// the cause and resumes, or goes back. Ending here instead would strand the applications that have
// moved.
func (m *migration) insist(ctx workflow.Context, name string) error {
	for {
		err := m.child(ctx, name)
		if err == nil || errors.Is(err, stage.ErrBack) || temporal.IsCanceledError(err) &&
			!m.endedByHand(ctx, err) {
			return err
		}
		if err := m.holdFor(ctx, name, err); err != nil {
			return err
		}
	}
}

// endedByHand reports whether somebody cancelled or terminated the stage alone: the migration goes
// on from it, or back.
func (m *migration) endedByHand(ctx workflow.Context, err error) bool {
	return (temporal.IsCanceledError(err) || wasTerminated(err)) && ctx.Err() == nil &&
		change.Made(ctx, change.Cancel)
}

func wasTerminated(err error) bool {
	var terminated *temporal.TerminatedError
	return errors.As(err, &terminated)
}

// holdFor holds the migration at a stage that didn't succeed, until a person resumes.
func (m *migration) holdFor(ctx workflow.Context, name string, err error) error {
	what := " failed: "
	if temporal.IsCanceledError(err) {
		what = " was cancelled: "
	}
	if name == api.ShiftType && wasTerminated(err) && change.Made(ctx, change.Cancel) {
		if change.Made(ctx, change.Stranded) {
			m.FreeStranded(ctx)
			m.FreeLate(ctx)
		} else {
			m.freeStrandedBefore(ctx)
		}
	}
	m.reopen(ctx)
	if m.Back != nil && change.Made(ctx, change.BackFirst) { // it came as the stage failed: nobody has to say it again
		m.Note(ctx, "%s%s%s; everything goes back", name, what, call.RootMessage(err))
		return stage.ErrBack
	}
	m.HoldItself(ctx, name+what+call.RootMessage(err))
	if left := m.View().LeftAsked; len(left) > 0 {
		m.Held.Reason += "; " + stage.LeftText(left)
	}
	m.Note(ctx, "held: %s", m.Held.Reason)
	return m.Checkpoint(ctx)
}

func (m *migration) awaitCaughtUp(ctx workflow.Context) error {
	var acts *activities.Replication
	return m.Step(ctx, func(ctx workflow.Context) error {
		m.Detail(ctx, "waiting until the copy is close behind the source")
		var state activities.ReplicationState
		err := call.WaitFor(ctx, 0, "lag of all lanes", acts.AwaitCaughtUp, m.Request()).Get(ctx, &state)
		m.Detail(ctx, "%d lanes, lag %d messages", state.Lanes, state.Lag)
		return err
	})
}

// goBack returns everything to the source. It needs no approval, and nothing stops it but a failure
// that a person must see.
func (m *migration) goBack(ctx workflow.Context) error {
	if !m.shifted {
		moved, err := m.hasMoved(ctx)
		if err != nil {
			return err
		}
		if !moved {
			return stage.ErrBack
		}
	}
	asked := m.Back
	// it is being done: the rollback itself may be held and resumed
	m.Back, m.GoingBack = nil, true
	m.DropLeft()
	// of what an earlier run moved; it needs lanes to go back, and whoever said back while the
	// services were being started has one of them
	none, one := len(m.services.all) == 0, len(m.services.all) == 1
	if none && change.Made(ctx, change.Look) || one && change.Made(ctx, change.BothServices) {
		if err := m.services.start(ctx); err != nil && !errors.Is(err, stage.ErrBack) {
			return err
		}
		m.Back = nil
	}
	for {
		err := m.tryRollback(ctx)
		if err == nil {
			m.Back, m.Status.Owed = asked, nil // which Rollback has waited for
			return stage.ErrBack
		}
		if temporal.IsCanceledError(err) && !m.endedByHand(ctx, err) {
			return err
		}
		// in the middle of a move groups may be refused on both sides
		if wasTerminated(err) && change.Made(ctx, change.Cancel) {
			m.Note(ctx, "Rollback was terminated, and is started again: cancel it to hold it")
			continue
		}
		m.HoldItself(ctx, "Rollback failed: "+call.RootMessage(err))
		if err := m.Checkpoint(ctx); err != nil && !errors.Is(err, stage.ErrBack) {
			return err
		}
		m.Back, m.Held = nil, nil
	}
}

// tryRollback runs Rollback; one that ended before everything was back has failed.
func (m *migration) tryRollback(ctx workflow.Context) error {
	err := m.child(ctx, api.RollbackType)
	state := m.Children.Status(api.StageID(m.Plan, api.RollbackType)).State
	if err == nil && state != api.StateDone && change.Made(ctx, change.BackTwice) {
		err = temporal.NewNonRetryableApplicationError(
			"it ended before everything was back (state "+state+"): resume tries again", call.UnfinishedType, nil,
		)
		m.end(ctx, api.RollbackType, err)
	}
	return err
}
