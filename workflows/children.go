package workflows

import (
	"errors"
	"fmt"
	"slices"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/stage"
)

// stageOrder is the table that people see from the first moment.
var stageOrder = []string{
	api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
	api.VerifyType, api.ShiftType, api.EndPhaseType, api.FinalizeType,
}

func (m *migration) rows() {
	for _, name := range stageOrder {
		if name == api.EndPhaseType && m.Plan.Traffic.Mode != plan.ModeGateway {
			continue
		}
		m.Status.Stages = append(m.Status.Stages, api.StageStatus{Name: name, State: api.StagePending})
	}
}

func (m *migration) row(name string) *api.StageStatus {
	for i := range m.Status.Stages {
		if m.Status.Stages[i].Name == name {
			return &m.Status.Stages[i]
		}
	}
	m.Status.Stages = append(m.Status.Stages, api.StageStatus{Name: name, State: api.StagePending})
	return &m.Status.Stages[len(m.Status.Stages)-1]
}

// begin shows that a stage runs; a stage that is tried again starts its row anew.
func (m *migration) begin(ctx workflow.Context, name, id string) {
	now := workflow.Now(ctx)
	*m.row(name) = api.StageStatus{Name: name, State: api.StageRunning, WorkflowID: id, StartedAt: &now}
	m.Status.Stage = name
	m.BeginChild(ctx, id)
	m.Detail(ctx, "%s runs", name)
}

// keepRecord keeps what persons approved in a stage that is tried again, what it noted, and which
// groups it left asked.
func (m *migration) keepRecord(ctx workflow.Context, id string) {
	r := m.Children.Status(id)
	m.KeepLeft(ctx, r.LeftAsked)
	m.Status.Approvals = append(m.Status.Approvals, r.Approvals...)
	m.Status.Notes = append(m.Status.Notes, r.Notes...)
	if extra := len(m.Status.Notes) - stage.MaxNotes; extra > 0 {
		m.Status.Notes = slices.Clone(m.Status.Notes[extra:])
	}
}

func (m *migration) end(ctx workflow.Context, name string, err error) {
	now := workflow.Now(ctx)
	row := m.row(name)
	row.EndedAt, row.State = &now, api.StageDone
	if err != nil {
		row.State, row.Detail = api.StageFailed, call.RootMessage(err)
	}
	m.Publish(ctx)
}

// child runs one stage to its end.
func (m *migration) child(ctx workflow.Context, name string) error {
	if err := m.Checkpoint(ctx); err != nil {
		return err
	}
	id := api.StageID(m.Plan, name)
	input := m.input() // before what the stage told goes away with its row
	m.keepRecord(ctx, id)
	m.begin(ctx, name, id)
	m.Active = id
	var result api.Status
	future := workflow.ExecuteChildWorkflow(call.Child(ctx, id, name+" of "+m.Plan.Name), name,
		input)
	var run workflow.Execution
	if err := future.GetChildWorkflowExecution().Get(ctx, &run); err == nil {
		m.TellWhatStands(ctx)
	}
	err := future.Get(ctx, &result)
	m.Active = ""
	// It has ended: what is older than its result is of no interest. A stage that is reset goes on
	// telling.
	m.Children.Ignore(id, workflow.Now(ctx))
	m.Children.End(id, run.RunID)
	if err == nil {
		m.Children.SetStatus(id, result)
	} else {
		err = alreadyRunning(name, id, err)
		m.Children.Silence(id)
	}
	m.end(ctx, name, err)
	if err == nil && result.State == api.StateRolledBack && name != api.RollbackType {
		return stage.ErrBack
	}
	return err
}

func (m *migration) input() api.MigrationInput {
	now := m.View()
	in := api.MigrationInput{
		Plan: m.Plan, PlanHash: m.Status.PlanHash, Inventory: m.inventory, Answers: now.Answers,
		EarlierAnswers: now.EarlierAnswers, Rates: now.Rates, Copied: now.Copied,
	}
	m.tellSteps(&in)
	return in
}

// alreadyRunning explains the one start error that people meet: after a reset, or when a stage was
// started alone.
func alreadyRunning(name, id string, err error) error {
	if temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return temporal.NewNonRetryableApplicationError(
			fmt.Sprintf(
				"%s: workflow %s runs already (started alone, or before a reset): let it end or cancel it, then resume",
				name, id,
			),
			call.AlreadyRunningType,
			err,
		)
	}
	return err
}

// runsAlready reports whether a stage wasn't started as it runs since before a reset.
func runsAlready(ctx workflow.Context, err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == call.AlreadyRunningType && change.Made(ctx, change.Reset)
}
