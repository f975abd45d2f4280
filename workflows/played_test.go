package workflows

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/enums/v1"
	"go.temporal.io/api/history/v1"
	"go.temporal.io/api/temporalproto"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/standins"
)

func TestMain(m *testing.M) { labtest.Main(m) }

// playTime bounds what a path waits for, on a machine that has other work.
const playTime = 15 * time.Minute

// server is Temporal, and workers with stand-ins for the clusters.
type server struct {
	client client.Client
	acts   *standins.Activities
}

// newServer runs workers until the test ends. Their names are the same on every machine, as they
// stand in recordings.
func newServer(t *testing.T) *server {
	t.Helper()
	c, err := client.Dial(client.Options{
		HostPort: labtest.Temporal(t).Address, Identity: "worker",
		Logger: log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK")),
	})
	require.NoError(t, err)
	s := &server{client: c, acts: standins.New()}
	t.Cleanup(c.Close)
	control := worker.New(c, api.ControlTaskQueue, worker.Options{DisableRegistrationAliasing: true})
	Register(control, true)
	data := worker.New(c, api.DataTaskQueue, worker.Options{
		DisableRegistrationAliasing: true, DisableWorkflowWorker: true,
	})
	for _, w := range []worker.Worker{control, data} {
		s.acts.Register(w)
		require.NoError(t, w.Start())
		t.Cleanup(w.Stop)
	}
	return s
}

// played is a migration on a server, with the person who steers it.
type played struct {
	*testing.T
	*server
	ctx      context.Context
	plan     plan.Plan
	clusters *standins.Clusters
	run      client.WorkflowRun
}

func (s *server) play(t *testing.T, name string, change func(*plan.Plan)) *played {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), playTime)
	t.Cleanup(cancel)
	p := plan.Plan{
		Name: name, Source: plan.Cluster{NameServers: []string{"127.0.0.1:9876"}},
		Target:    plan.Target{Provider: plan.ProviderLocal},
		Approvals: []plan.Gate{},
		Shift: plan.Shift{
			Steps: []int{100}, Soak: plan.Duration(time.Millisecond),
			Settle: plan.Duration(time.Millisecond),
		},
		// stand-ins hear of their end by heartbeats
		Replicate: plan.Replicate{Heartbeat: plan.Duration(2 * time.Second)},
	}.WithDefaults()
	if change != nil {
		change(&p)
	}
	require.NoError(t, p.Validate())
	return &played{T: t, server: s, ctx: ctx, plan: p, clusters: s.acts.Of(name)}
}

func (p *played) start() {
	p.startAs(api.MigrationType, p.plan.WorkflowID(), api.MigrationInput{Plan: p.plan})
}

func (p *played) startAs(kind, id string, input any) client.WorkflowRun {
	p.Helper()
	run, err := p.client.ExecuteWorkflow(p.ctx,
		client.StartWorkflowOptions{ID: id, TaskQueue: api.ControlTaskQueue}, kind, input)
	require.NoError(p, err)
	if p.run == nil {
		p.run = run
	}
	return run
}

// called waits until an activity was tried.
func (p *played) called(name string) {
	p.Helper()
	if err := p.clusters.Called(p.ctx, name, 1); err != nil {
		require.NoError(p, err, "status: %s", api.Details(p.status()))
	}
}

func (p *played) status() (s api.Status) {
	p.Helper()
	value, err := p.client.QueryWorkflow(context.WithoutCancel(p.ctx), p.run.GetID(), p.run.GetRunID(), api.StatusQuery)
	require.NoError(p, err)
	require.NoError(p, value.Get(&s))
	return s
}

// until waits for a status.
func (p *played) until(what string, ok func(api.Status) bool) api.Status {
	p.Helper()
	for {
		var s api.Status
		value, err := p.client.QueryWorkflow(p.ctx, p.run.GetID(), p.run.GetRunID(), api.StatusQuery)
		if err == nil {
			require.NoError(p, value.Get(&s))
		}
		if err == nil && ok(s) {
			return s
		}
		if s.State == api.StateFailed {
			require.FailNow(p, what, "status: %s", api.Details(s))
		}
		select {
		case <-p.ctx.Done():
			require.FailNow(p, what, "status: %s, last answer: %v", api.Details(p.status()), err)
		case <-time.After(100 * time.Millisecond): // between two looks
		}
	}
}

func (p *played) untilHeld() api.Status {
	p.Helper()
	return p.until("it is held", func(s api.Status) bool { return s.State == api.StateHeld })
}

// asked waits for the question of a gate.
func (p *played) asked(gate string) (w api.Waiting) {
	p.Helper()
	p.until("asked for "+gate, func(s api.Status) (found bool) {
		w, found = message.WaitingApproval(s, gate)
		return found
	})
	return w
}

// update sends an update and returns its refusal.
func (p *played) update(id, name string, message any) error {
	p.Helper()
	handle, err := p.client.UpdateWorkflow(p.ctx, client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name, Args: []any{message},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	if err == nil {
		err = handle.Get(p.ctx, nil)
	}
	return err
}

func (p *played) steer(name string) {
	p.Helper()
	require.NoError(p, p.update(p.run.GetID(), name, api.Steering{By: "alice", Reason: "a test"}))
}

func (p *played) signal(stage, name string, message any) {
	p.Helper()
	require.NoError(p, p.client.SignalWorkflow(p.ctx, api.StageID(p.plan, stage), "", name, message))
}

func (p *played) cancel(stage string) {
	p.Helper()
	require.NoError(p, p.client.CancelWorkflow(p.ctx, api.StageID(p.plan, stage), ""))
}

func (p *played) terminate(stage string) {
	p.Helper()
	require.NoError(p, p.client.TerminateWorkflow(p.ctx, api.StageID(p.plan, stage), "", "a test"))
}

// resumeUntilDone resumes each time it is held: on a busy machine a fence budget ends again.
func (p *played) resumeUntilDone() {
	p.Helper()
	for done := false; !done; {
		p.steer(api.ResumeName)
		done = p.until("it is held again, or done", func(s api.Status) bool {
			return s.State == api.StateHeld || s.State == api.StateDone
		}).State == api.StateDone
	}
	p.ends(api.StateDone)
}

// ends waits for the end; want is the state of the result, or part of the error.
func (p *played) ends(want string) {
	p.Helper()
	var s api.Status
	err := p.run.Get(p.ctx, &s)
	if p.ctx.Err() != nil {
		require.FailNow(p, "it hasn't ended", api.Details(p.status()))
	}
	if err != nil {
		require.ErrorContains(p, err, want)
		return
	}
	require.Equal(p, want, s.State)
}

// histories are those of the migration and of its stages, by the names of their files.
func (p *played) histories(path string) map[string]*history.History {
	p.Helper()
	found := map[string]*history.History{}
	top := p.history(p.run.GetID(), p.run.GetRunID())
	found[path+"-migration"] = top
	for _, e := range top.Events {
		started := e.GetChildWorkflowExecutionStartedEventAttributes()
		if started == nil {
			continue
		}
		id := started.GetWorkflowExecution().GetWorkflowId()
		stage := strings.TrimPrefix(id, p.plan.WorkflowID()+"-")
		name := path + "-" + stage
		for n := '2'; found[name] != nil; n++ { // another run of the stage
			name = path + "-" + string(n) + "-" + stage
		}
		found[name] = p.history(id, started.GetWorkflowExecution().GetRunId())
	}
	return found
}

func (p *played) history(id, runID string) *history.History {
	p.Helper()
	h := &history.History{}
	events := p.client.GetWorkflowHistory(p.ctx, id, runID, false,
		enums.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(p, err)
		h.Events = append(h.Events, e)
	}
	return h
}

// requireReplays runs today's code over a history.
func requireReplays(t *testing.T, name string, h *history.History) {
	t.Helper()
	replayer := worker.NewWorkflowReplayer()
	Register(replayer, true)
	logger := log.NewStructuredLogger(labtest.Log(t, "replay"))
	require.NoError(t, replayer.ReplayWorkflowHistory(logger, h), name)
}

// save writes a history as replay tests read it, an event a line, without the name of this machine.
func save(t *testing.T, file string, h *history.History) {
	t.Helper()
	text := []byte(`{"events":[`)
	for i, e := range h.Events {
		event, err := temporalproto.CustomJSONMarshalOptions{}.Marshal(e)
		require.NoError(t, err)
		if i > 0 {
			text = append(text, ',')
		}
		text = append(append(text, '\n'), event...)
	}
	text = append(text, "\n]}\n"...)
	if host, err := os.Hostname(); err == nil && host != "" {
		text = []byte(strings.ReplaceAll(string(text), host, "worker-host"))
	}
	require.NoError(t, os.WriteFile(file, text, 0o644))
}
