package workflows

import (
	"fmt"
	"slices"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/message"
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
	running  bool                         // it was started, and hasn't ended
	kept     bool                         // it is started again when it ends
	over     bool                         // it has ended, and isn't started again
}

// startServices starts Replicate and SyncOffsets, and keeps them. They end when they are told to,
// not with the migration: whatever is done to it, no queue's home stays where no lane runs.
func (m *migration) startServices(ctx workflow.Context) error {
	if !change.Made(ctx, change.Services) {
		return m.startServicesBefore(ctx)
	}
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		if m.hasService(name) {
			continue
		}
		if err := m.checkpoint(ctx); err != nil {
			return err
		}
		s := &service{name: name, id: api.StageID(m.plan, name), kept: true}
		m.services = append(m.services, s)
		disconnected, _ := workflow.NewDisconnectedContext(ctx)
		workflow.GoNamed(disconnected, "keep "+name, func(ctx workflow.Context) { m.keep(ctx, s) })
		if err := m.await(ctx, name+" starts",
			func() bool { return s.running || s.down != "" || m.back != nil }); err != nil {
			return err
		}
	}
	return m.checkpoint(ctx)
}

func (m *migration) hasService(name string) bool {
	return slices.ContainsFunc(m.services, func(s *service) bool { return s.name == name })
}

// keep starts a service again with growing pauses, until the migration ends. A person's resume
// tries at once.
func (m *migration) keep(ctx workflow.Context, s *service) {
	pause := serviceFirst
	for !m.ending {
		begun := workflow.Now(ctx)
		stood, err := m.serveOnce(ctx, s)
		if m.ending {
			break
		}
		if stood && workflow.Now(ctx).Sub(begun) > max(pause, serviceSteady) {
			pause = serviceFirst
		}
		m.lost(ctx, s, err)
		m.retry = false
		if _, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
			Timeout: pause, TimerOptions: workflow.TimerOptions{Summary: s.name +
				" is started again"},
		}, func() bool { return m.ending || m.retry }); err != nil {
			break
		}
		pause = min(2*pause, serviceMax)
	}
	s.over = true
}

// serveOnce runs a service until it ends, and reports whether it stood for a while.
func (m *migration) serveOnce(ctx workflow.Context, s *service) (stood bool, err error) {
	input := m.input() // before its row begins anew: with what persons decided while it ran
	m.beginService(ctx, s)
	s.future = workflow.ExecuteChildWorkflow(call.LastingChild(ctx, s.id, s.name+" of "+m.plan.Name), s.name,
		input)
	var run workflow.Execution
	if err := s.future.GetChildWorkflowExecution().Get(ctx, &run); err != nil {
		m.end(ctx, s.name, err)
		return false, m.takeOver(ctx, s, err)
	}
	s.running = true
	if m.ending { // told to stop before it had begun
		_ = workflow.SignalExternalWorkflow(ctx, s.id, "", api.StopName, struct{}{}).Get(ctx, nil)
	}
	ended, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: serviceProof, TimerOptions: workflow.TimerOptions{Summary: s.name + " stands"},
	}, s.future.IsReady)
	stood = err == nil && !ended
	if stood {
		m.found(ctx, s)
	}
	var last api.Status
	err = s.future.Get(ctx, &last)
	if of := m.fields[s.id]; of != nil { // it may have gone on in a new run
		run.RunID = of.Run
	}
	s.running, m.gone[s.id] = false, run.RunID
	if err == nil {
		m.reports[s.id] = last
	}
	m.silence(s.id)
	m.end(ctx, s.name, err)
	return stood, err
}

// takeOver ends a service that runs already: it was started alone, or by a migration that was
// terminated or reset.
func (m *migration) takeOver(ctx workflow.Context, s *service, err error) error {
	if !temporal.IsWorkflowExecutionAlreadyStartedError(err) {
		return err
	}
	if err := workflow.SignalExternalWorkflow(ctx, s.id, "", api.StopName, struct{}{}).Get(ctx,
		nil); err != nil {
		return err
	}
	return fmt.Errorf("workflow %s ran already; it was told to stop, and is started anew", s.id)
}

// beginService shows that a service runs. What it last told stays until it tells more.
func (m *migration) beginService(ctx workflow.Context, s *service) {
	first := s.future == nil
	stage, detail, told := m.status.Stage, m.status.Detail, m.reports[s.id]
	m.begin(ctx, s.name, s.id)
	if !first {
		told.Detail = ""
		m.reports[s.id] = told
		m.status.Stage, m.status.Detail = stage, detail
		m.publish(ctx)
	}
}

// lost holds everything, as a service doesn't run.
func (m *migration) lost(ctx workflow.Context, s *service, err error) {
	why := "it ended early"
	if err != nil {
		why = call.RootMessage(err)
	}
	s.down = fmt.Sprintf("%s doesn't run: %s", s.name, why)
	m.note(ctx, "held: %s", s.down)
	m.tellMissing(ctx)
}

// found lets everything go on, if no other service is missing.
func (m *migration) found(ctx workflow.Context, s *service) {
	if s.down == "" {
		return
	}
	s.down = ""
	m.note(ctx, "%s runs again", s.name)
	m.tellMissing(ctx)
}

// tellMissing shows what doesn't run, here and to the stage that works now.
func (m *migration) tellMissing(ctx workflow.Context) {
	if m.toldMissing != nil {
		m.toldMissing()
	}
	m.missing, m.toldMissing = "", nil
	for _, s := range m.services {
		if m.missing == "" {
			m.missing = s.down
		}
	}
	if m.missing != "" {
		m.toldMissing = m.wait(ctx,
			api.Waiting{Kind: api.WaitingGate, Gate: api.ResumeName, Text: holdText(nil, m.missing)})
	}
	m.publish(ctx)
	m.numbered = max(m.numbered+1, workflow.Now(ctx).UnixNano()) // greater after a reset too
	_ = m.forward(ctx, message.MissingSignal, message.Missing{Text: m.missing, Number: m.numbered})
}

// stopServices ends Replicate and SyncOffsets and waits for their last checkpoint.
func (m *migration) stopServices(ctx workflow.Context) {
	m.ending = true
	if ctx.Err() != nil {
		return // cancelled, and older than change.Cancel: the children were asked to end by the cancellation itself
	}
	for _, s := range m.services {
		if s.over || s.future == nil || s.future.IsReady() {
			continue
		}
		if err := workflow.SignalExternalWorkflow(ctx, s.id, "", api.StopName, struct{}{}).Get(ctx,
			nil); err != nil {
			m.note(ctx, "%s was not running at the end: %s", s.id, err)
		}
	}
	for _, s := range m.services {
		if s.kept {
			_ = workflow.Await(ctx, func() bool { return s.over }) // its end is in its row then
			continue
		}
		_ = s.future.Get(ctx, nil)
	}
}
