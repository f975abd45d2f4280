package main

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/internal/lab/labtest"
	"rocketshift/replicator/lane"
	"rocketshift/starter/remote"
)

// standIn is a migration without clusters: it asks for one approval, runs a data plane that only
// beats, and ends as the answer's reason says. The real one is tested with its own package; here it
// is what the commands talk to.
func standIn(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
	s := api.Status{Name: in.Plan.Name, Type: api.MigrationType, PlanHash: in.Plan.Hash(), State: api.StateWaiting}
	child := in.Plan.WorkflowID() + "-replicate"
	s.Stages = []api.StageStatus{{Name: "Replicate", State: api.StageRunning, WorkflowID: child}}
	asked := api.Waiting{
		Kind:     api.WaitingApproval,
		Gate:     "purchase",
		Text:     "buy",
		PlanHash: s.PlanHash,
		Evidence: "e1",
		Since:    workflow.Now(ctx),
	}
	s.Waiting = []api.Waiting{asked}
	if err := workflow.SetQueryHandler(ctx, api.StatusQuery, func() (api.Status, error) { return s, nil }); err != nil {
		return s, err
	}
	take := func(ctx workflow.Context, a api.Approval) (api.Approval, error) {
		a.At = workflow.Now(ctx)
		s.Waiting, s.Approvals, s.State = nil, append(s.Approvals, a), api.StateRunning
		return a, nil
	}
	refuse := func(_ workflow.Context, a api.Approval) error {
		if a.Evidence != "e1" || len(s.Approvals) > 0 {
			return temporal.NewApplicationError("it answers other evidence", "Refused")
		}
		return nil
	}
	if err := workflow.SetUpdateHandlerWithOptions(ctx, api.ApproveName, take, workflow.UpdateHandlerOptions{Validator: refuse}); err != nil {
		return s, err
	}
	var end api.Steering
	ended := false
	finish := func(_ workflow.Context, m api.Steering) (string, error) {
		end, ended = m, true
		return "taken", nil
	}
	if err := workflow.SetUpdateHandler(ctx, api.BackName, finish); err != nil {
		return s, err
	}
	workflow.Go(ctx, func(ctx workflow.Context) {
		var a api.Approval
		workflow.GetSignalChannel(ctx, api.ApproveName).Receive(ctx, &a)
		_, _ = take(ctx, a)
	})
	children, cancel := workflow.WithCancel(
		workflow.WithChildOptions(ctx, workflow.ChildWorkflowOptions{WorkflowID: child}),
	)
	defer cancel()
	if err := workflow.ExecuteChildWorkflow(children, api.ReplicateType, in).GetChildWorkflowExecution().Get(ctx, nil); err != nil {
		return s, err
	}
	if err := workflow.Await(ctx, func() bool { return ended }); err != nil {
		return s, err
	}
	s.State, s.Report = api.StateRolledBack, "nowhere.json"
	if end.Reason == "fail" {
		return s, temporal.NewNonRetryableApplicationError("Assess refused it", "Refused", nil)
	}
	return s, nil
}

// lanes is a Replicate whose activities beat, and one that can't reach its source.
func lanes(ctx workflow.Context, _ api.MigrationInput) (api.Status, error) {
	ctx = workflow.WithActivityOptions(ctx,
		workflow.ActivityOptions{StartToCloseTimeout: time.Hour, HeartbeatTimeout: guard})
	workflow.ExecuteActivity(ctx, "Sync")
	workflow.ExecuteActivity(ctx, "AwaitCaughtUp")
	return api.Status{}, workflow.ExecuteActivity(ctx, "Replicate").Get(ctx, nil)
}

// beat heartbeats until the worker stops.
func beat(ctx context.Context, details any) error {
	for {
		activity.RecordHeartbeat(ctx, details)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-activity.GetWorkerStopChannel(ctx):
			return nil
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// standInWorker polls both task queues for the stand-ins, until the test ends or the function is
// called.
func standInWorker(t *testing.T, at client.Options) (stop func()) {
	t.Helper()
	at.Logger = log.NewStructuredLogger(labtest.Log(t, "worker"))
	c, err := client.Dial(at)
	require.NoError(t, err)
	control := worker.New(c, api.ControlTaskQueue, worker.Options{})
	control.RegisterWorkflowWithOptions(standIn, workflow.RegisterOptions{Name: api.MigrationType})
	control.RegisterWorkflowWithOptions(lanes, workflow.RegisterOptions{Name: api.ReplicateType})
	control.RegisterActivityWithOptions(func(ctx context.Context) error {
		if activity.GetInfo(ctx).Attempt == 1 { // trouble that passed must not be shown for ever
			return temporal.NewApplicationErrorWithOptions("blinked", "Blink",
				temporal.ApplicationErrorOptions{NextRetryDelay: time.Millisecond})
		}
		return beat(ctx,
			api.ReplicationProgress{Broker: "broker-a", Progress: lane.Progress{Lanes: 4, CaughtUp: 3, Lag: 7}})
	}, activity.RegisterOptions{Name: "Replicate"})
	control.RegisterActivityWithOptions(
		func(ctx context.Context) error { return beat(ctx, api.SyncProgress{Groups: 2}) },
		activity.RegisterOptions{Name: "Sync"},
	)
	control.RegisterActivityWithOptions(func(context.Context) error {
		return temporal.NewApplicationErrorWithOptions("source broker-a is down",
			activities.SourceUnreachableType,
			temporal.ApplicationErrorOptions{NextRetryDelay: 100 * time.Millisecond})
	}, activity.RegisterOptions{Name: "AwaitCaughtUp"})
	data := worker.New(c, api.DataTaskQueue, worker.Options{DisableWorkflowWorker: true})
	data.RegisterActivityWithOptions(func() error { return nil }, activity.RegisterOptions{Name: "Nothing"})
	require.NoError(t, control.Start())
	require.NoError(t, data.Start())
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			control.Stop()
			data.Stop()
			c.Close()
		}
	}
	t.Cleanup(stop)
	return stop
}

// live runs a command line against the server.
func live(t *testing.T, args ...string) outcome {
	t.Helper()
	var stdout, stderr bytes.Buffer
	a := newApp(strings.NewReader(""), &stdout, &stderr, func(string) (string, bool) { return "", false })
	a.pace = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), guard)
	defer cancel()
	if !slices.Contains(args, "--timeout") {
		args = append(args, "--timeout", "2m") // for the answer of a worker on a busy machine
	}
	o := outcome{code: a.run(ctx, args)}
	require.NoError(t, ctx.Err(), "the command did not end: rocketshift %s", strings.Join(args, " "))
	o.stdout, o.stderr = stdout.String(), stderr.String()
	return o
}

// eventually runs a command line until its document is as wanted, and returns it.
func eventually(t *testing.T, want string, ok func(map[string]any) bool, args ...string) map[string]any {
	t.Helper()
	deadline := time.Now().Add(3 * time.Minute)
	for {
		o := live(t, append(args, "-o", "json")...)
		doc := o.document(t)
		if ok(doc) {
			return doc
		}
		require.True(t, time.Now().Before(deadline), "%s; last seen: %s %s", want, o.stdout, o.stderr)
	}
}

// connected makes a namespace for the test and has commands use it: workers of other packages poll
// the same task queues of the same server, and would take what is the stand-in's.
func connected(t *testing.T) client.Options {
	t.Helper()
	at := labtest.Namespace(t, "starter")
	t.Setenv("TEMPORAL_ADDRESS", at.HostPort)
	t.Setenv("TEMPORAL_NAMESPACE", at.Namespace)
	t.Setenv("TEMPORAL_CONFIG_FILE", t.TempDir()+"/none.toml")
	return at
}

func livePlan(t *testing.T, name, more string) string {
	t.Helper()
	return planFile(t, strings.Replace(goodPlan, "name: orders", "name: "+name, 1)+more)
}

func TestLiveAMigrationFromStartToEndByCommands(t *testing.T) {
	at := connected(t)
	standInWorker(t, at)
	path := livePlan(t, "cli-end", "")

	first := live(t, "start", "-f", path, "-o", "json").document(t)
	assert.Equal(t, false, first["joined"])
	again := live(t, "start", "-f", path, "-o", "json").document(t)
	assert.Equal(t, true, again["joined"])
	assert.Equal(t, first["runId"], again["runId"], "a repeated start gives the same run")

	other := live(t, "start", "-f", livePlan(t, "cli-end", "approvals: []\n"))
	assert.Equal(t, failure.BadUsage, other.code)
	assert.Contains(t, other.stderr,
		"migration-cli-end runs with another plan: it has hash "+first["planHash"].(string))

	doc := eventually(t, "heartbeats and the failing activity are seen", func(d map[string]any) bool {
		down, _ := d["blocked"].([]any)
		return d["replication"] != nil && d["sync"] != nil && len(down) == 1
	}, "status", "cli-end")
	assert.Equal(t, []any{"rocketshift approve cli-end purchase --by YOU --reason WHY"}, doc["next"])
	assert.EqualValues(t, 7, doc["replication"].([]any)[0].(map[string]any)["lag"])
	down := doc["blocked"].([]any)[0].(map[string]any)
	assert.Equal(t, "source broker-a is down", down["cause"])
	assert.Equal(t, "SourceUnreachable", down["type"])

	used := live(t, "targets", "remove", "cli-end")
	assert.Equal(t, failure.BadUsage, used.code)
	assert.Contains(t, used.stderr, "in use: migration-cli-end, migration-cli-end-replicate run")

	refusedAnswer := live(t, "approve", "cli-end", "purchase", "--by", "bob", "--evidence", "old")
	assert.Equal(t, failure.BadUsage, refusedAnswer.code)
	assert.Contains(t, refusedAnswer.stderr, "refused: it answers other evidence")
	approved := live(t, "approve", "cli-end", "purchase", "--by", "alice", "--reason", "fine", "-o", "json").document(t)
	assert.Equal(t, "update", approved["via"])
	assert.Equal(t, "e1", approved["evidence"])
	repeated := live(t, "approve", "cli-end", "purchase", "--by", "bob", "-o", "json").document(t)
	assert.Equal(t, "alice", repeated["by"])
	assert.Equal(t, approved["at"], repeated["at"])

	assert.Equal(t, failure.Done, live(t, "back", "cli-end", "--by", "alice").code)
	final := live(t, "status", "cli-end", "--wait=end", "-o", "json")
	assert.Equal(t, failure.RolledBack, final.code, final.stdout)
	late := live(t, "back", "cli-end", "--by", "alice")
	assert.Equal(t, failure.BadUsage, late.code)
	assert.Contains(t, late.stderr, "has ended")
	restart := live(t, "start", "-f", path)
	assert.Equal(t, failure.RolledBack, restart.code, "a finished migration is never repeated")
	assert.Contains(t, restart.stdout, "nothing was started")
	anew := live(t, "start", "-f", path, "--again", "-o", "json").document(t)
	assert.NotEqual(t, first["runId"], anew["runId"],
		"one that went back is started anew when that is asked for")
	assert.Equal(t, failure.Done, live(t, "back", "cli-end", "--by", "alice").code)
	assert.Equal(t, failure.RolledBack, live(t, "status", "cli-end", "--wait=end", "-o", "json").code)
	assert.Equal(t, failure.RolledBack, live(t, "report", "cli-end").code)
	gone := live(t, "targets", "remove", "cli-end")
	assert.Equal(t, failure.Done, gone.code, gone.stderr)
	assert.Contains(t, gone.stdout, "nothing to remove")
}

func TestLiveAFailedMigrationShowsItsErrorAndMayBeStartedAgain(t *testing.T) {
	at := connected(t)
	standInWorker(t, at)
	path := livePlan(t, "cli-fails", "")
	first := live(t, "start", "-f", path, "-o", "json").document(t)
	require.Equal(t, failure.Done, live(t, "back", "cli-fails", "--by", "alice", "--reason", "fail").code)
	failed := live(t, "status", "cli-fails", "--wait=end", "-o", "json")
	assert.Equal(t, failure.Failed, failed.code)
	assert.Equal(t, "Assess refused it", failed.document(t)["error"])
	again := live(t, "start", "-f", path, "-o", "json").document(t)
	assert.NotEqual(t, first["runId"], again["runId"])
	assert.Equal(t, false, again["joined"])
	require.Equal(t, failure.Done, live(t, "back", "cli-fails", "--by", "alice").code)
}

func TestLiveAnApprovalIsKeptWhileNoWorkerRuns(t *testing.T) {
	at := connected(t)
	stop := standInWorker(t, at)
	require.Equal(t, failure.Done, live(t, "start", "-f", livePlan(t, "cli-alone", "")).code)
	eventually(t, "the migration asks", func(d map[string]any) bool { return d["state"] == "waiting" },
		"status", "cli-alone")
	stop()

	o := live(t, "status", "cli-alone", "--timeout", "5s")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "no worker answers")
	o = live(t, "approve", "cli-alone", "purchase", "--by", "alice", "--timeout", "5s", "-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Equal(t, "signal", o.document(t)["via"])
	assert.Contains(t, o.stderr, "was left as a signal")

	standInWorker(t, at)
	doc := eventually(t, "the approval is there when a worker runs again",
		func(d map[string]any) bool { return d["approvals"] != nil }, "status", "cli-alone")
	assert.Equal(t, "alice", doc["approvals"].([]any)[0].(map[string]any)["by"])
	require.Equal(t, failure.Done, live(t, "back", "cli-alone", "--by", "alice").code)
}

func TestLiveDoctorSeesServerNamespaceAttributesAndWorkers(t *testing.T) {
	at := connected(t)
	standInWorker(t, at)
	doc := eventually(t, "both task queues are polled",
		func(d map[string]any) bool { return d["exitCode"] == 0.0 }, "doctor")
	results := map[string]string{}
	for _, c := range doc["checks"].([]any) {
		entry := c.(map[string]any)
		results[entry["name"].(string)] = entry["result"].(string)
	}
	for _, name := range []string{"temporal", "control worker", "data worker"} {
		assert.Equal(t, remote.CheckOK, results[name], name)
	}
	assert.Contains(t, results, "namespace")
	assert.Contains(t, results, "search attributes")
}

func TestLiveWhatIsNotThereIsSaid(t *testing.T) {
	connected(t)
	o := live(t, "status", "cli-nobody")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "there is no workflow migration-cli-nobody")
	o = live(t, "hold", "cli-nobody", "--by", "alice")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "there is no workflow migration-cli-nobody")

	t.Setenv("TEMPORAL_NAMESPACE", "nowhere")
	o = live(t, "status", "cli-nobody")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, `has no namespace "nowhere"`)

	t.Setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")
	o = live(t, "status", "cli-nobody")
	assert.Equal(t, failure.Failed, o.code)
	assert.Contains(t, o.stderr, "temporal at 127.0.0.1:1 does not answer")
}
