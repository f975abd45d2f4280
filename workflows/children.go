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
	"rocketshift/workflows/message"
)

// stageOrder is the table that people see from the first moment.
var stageOrder = []string{
	api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType, api.SyncOffsetsType,
	api.VerifyType, api.ShiftType, api.EndPhaseType, api.FinalizeType,
}

func (m *migration) rows() {
	for _, name := range stageOrder {
		if name == api.EndPhaseType && m.plan.Traffic.Mode != plan.ModeGateway {
			continue
		}
		m.status.Stages = append(m.status.Stages, api.StageStatus{Name: name, State: api.StagePending})
	}
}

func (m *migration) row(name string) *api.StageStatus {
	for i := range m.status.Stages {
		if m.status.Stages[i].Name == name {
			return &m.status.Stages[i]
		}
	}
	m.status.Stages = append(m.status.Stages, api.StageStatus{Name: name, State: api.StagePending})
	return &m.status.Stages[len(m.status.Stages)-1]
}

// begin shows that a stage runs; a stage that is tried again starts its row anew.
func (m *migration) begin(ctx workflow.Context, name, id string) {
	now := workflow.Now(ctx)
	*m.row(name) = api.StageStatus{Name: name, State: api.StageRunning, WorkflowID: id, StartedAt: &now}
	m.status.Stage = name
	m.forget(id)
	m.heard[id] = now.UnixNano() // reports of an earlier run are older
	clear(m.given)
	known := false
	for _, c := range m.children {
		known = known || c == id
	}
	if !known {
		m.children = append(m.children, id)
	}
	m.detail(ctx, "%s runs", name)
}

// keepRecord keeps what persons approved in a stage that is tried again, what it noted, and which
// groups it left asked.
func (m *migration) keepRecord(ctx workflow.Context, id string) {
	r := m.reports[id]
	m.keepLeft(ctx, r.LeftAsked)
	m.status.Approvals = append(m.status.Approvals, r.Approvals...)
	m.status.Notes = append(m.status.Notes, r.Notes...)
	if extra := len(m.status.Notes) - maxNotes; extra > 0 {
		m.status.Notes = slices.Clone(m.status.Notes[extra:])
	}
}

func (m *migration) end(ctx workflow.Context, name string, err error) {
	now := workflow.Now(ctx)
	row := m.row(name)
	row.EndedAt, row.State = &now, api.StageDone
	if err != nil {
		row.State, row.Detail = api.StageFailed, call.RootMessage(err)
	}
	m.publish(ctx)
}

// child runs one stage to its end.
func (m *migration) child(ctx workflow.Context, name string) error {
	if err := m.checkpoint(ctx); err != nil {
		return err
	}
	id := api.StageID(m.plan, name)
	input := m.input() // before what the stage told goes away with its row
	m.keepRecord(ctx, id)
	m.begin(ctx, name, id)
	m.active = id
	var result api.Status
	future := workflow.ExecuteChildWorkflow(call.Child(ctx, id, name+" of "+m.plan.Name), name,
		input)
	var run workflow.Execution
	if err := future.GetChildWorkflowExecution().Get(ctx, &run); err == nil {
		m.tellWhatStands(ctx)
	}
	err := future.Get(ctx, &result)
	m.active = ""
	// It has ended: what is older than its result is of no interest. A stage that is reset goes on
	// telling.
	m.heard[id], m.gone[id] = workflow.Now(ctx).UnixNano(), run.RunID
	if err == nil {
		m.reports[id] = result
	} else {
		err = alreadyRunning(name, id, err)
		m.silence(id)
	}
	m.end(ctx, name, err)
	if err == nil && result.State == api.StateRolledBack && name != api.RollbackType {
		return errBack
	}
	return err
}

// tellWhatStands tells a stage that has begun what was said before it could hear of it.
func (m *migration) tellWhatStands(ctx workflow.Context) {
	if m.missing != "" {
		_ = m.forward(ctx, message.MissingSignal, message.Missing{Text: m.missing, Number: m.numbered})
	}
	if m.held == nil && m.back == nil || !change.Made(ctx, change.Forward) {
		return
	}
	if m.held != nil {
		_ = m.forward(ctx, api.HoldName, message.PassedOn(*m.held))
	}
	if m.back != nil {
		_ = m.forward(ctx, api.BackName, message.PassedOn(*m.back))
	}
}

// silence drops what a failed child still waited for.
func (m *migration) silence(id string) {
	r := m.reports[id]
	r.Waiting = nil
	m.reports[id] = r
}

func (m *migration) input() api.MigrationInput {
	now := m.view()
	in := api.MigrationInput{
		Plan: m.plan, PlanHash: m.status.PlanHash, Inventory: m.inventory, Answers: now.Answers,
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
