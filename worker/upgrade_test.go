package main

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/workflows"
	"rocketshift/workflows/standins"
)

// upgrade is a migration on a Temporal server, without clusters, and builds of the worker that
// follow each other. They are versioned as rocketshift-worker is.
type upgrade struct {
	*testing.T
	ctx      context.Context
	client   client.Client
	acts     *standins.Activities
	clusters *standins.Clusters
	plan     plan.Plan
}

// newUpgrade has a namespace of its own: a current build takes a task queue's work from others.
func newUpgrade(t *testing.T, mode string) *upgrade {
	t.Helper()
	at := labtest.Namespace(t, "worker")
	at.Logger = log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK"))
	c, err := client.Dial(at)
	require.NoError(t, err)
	t.Cleanup(c.Close)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	p := plan.Plan{
		Name: "orders", Source: plan.Cluster{NameServers: []string{"127.0.0.1:9876"}},
		Target: plan.Target{Provider: plan.ProviderLocal}, Approvals: []plan.Gate{},
		Shift: plan.Shift{
			Steps: []int{100}, Soak: plan.Duration(time.Millisecond),
			Settle: plan.Duration(time.Millisecond),
		},
		Replicate: plan.Replicate{Heartbeat: plan.Duration(2 * time.Second)},
	}
	if mode == plan.ModeGateway {
		p.Traffic = plan.Traffic{Mode: mode, Gateways: []string{"127.0.0.1:8089"}}
	}
	p = p.WithDefaults()
	acts := standins.New()
	return &upgrade{T: t, ctx: ctx, client: c, acts: acts, clusters: acts.Of(p.Name), plan: p}
}

// allWorkflows registers the workflows of this release.
func allWorkflows(r worker.WorkflowRegistry) { workflows.Register(r, false) }

// build runs a build's worker until the function that it returns is called.
func (u *upgrade) build(id string, register func(worker.WorkflowRegistry)) (stop func()) {
	u.Helper()
	d, err := versioning(func(name string) string { return map[string]string{buildVariable: id}[name] })
	require.NoError(u, err)
	var running []worker.Worker
	for _, role := range []string{roleControl, roleData} {
		queue, options := pollsWith(u.client, role, d)
		w := worker.New(u.client, queue, options)
		if role == roleControl {
			register(w)
		}
		u.acts.Register(w)
		require.NoError(u, w.Start())
		running = append(running, w)
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			for _, w := range running {
				w.Stop()
			}
			worker.PurgeStickyWorkflowCache() // the next build reads histories, as another process does
		}
	}
	u.Cleanup(stop)
	return stop
}

// makeCurrent is what docs/upgrade-the-worker.md says to do when a build's workers run.
func (u *upgrade) makeCurrent(id string) {
	u.Helper()
	handle := u.client.WorkerDeploymentClient().GetHandle(defaultDeployment)
	var err error
	require.Eventually(u, func() bool {
		_, err = handle.SetCurrentVersion(u.ctx, client.WorkerDeploymentSetCurrentVersionOptions{BuildID: id})
		return err == nil
	}, patience, 100*time.Millisecond, "the build polls")
	require.NoError(u, err)
}

func (u *upgrade) start() client.WorkflowRun {
	u.Helper()
	run, err := u.client.ExecuteWorkflow(u.ctx, client.StartWorkflowOptions{
		ID: u.plan.WorkflowID(), TaskQueue: api.ControlTaskQueue,
	}, api.MigrationType, api.MigrationInput{Plan: u.plan})
	require.NoError(u, err)
	return run
}

func (u *upgrade) called(name string, times int) {
	u.Helper()
	require.NoError(u, u.clusters.Called(u.ctx, name, times))
}

func (u *upgrade) back() {
	u.Helper()
	require.NoError(u, u.client.SignalWorkflow(u.ctx, u.plan.WorkflowID(), "", api.BackName,
		api.Steering{By: "alice"}))
}

// builds are those whose workers advanced a workflow, in their order.
func (u *upgrade) builds(id string) (ids []string) {
	u.Helper()
	events := u.client.GetWorkflowHistory(u.ctx, id, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	for events.HasNext() {
		e, err := events.Next()
		require.NoError(u, err)
		done := e.GetWorkflowTaskCompletedEventAttributes()
		if done == nil {
			continue
		}
		require.Equal(u, enumspb.VERSIONING_BEHAVIOR_AUTO_UPGRADE, done.GetVersioningBehavior())
		if b := done.GetDeploymentVersion().GetBuildId(); len(ids) == 0 || ids[len(ids)-1] != b {
			ids = append(ids, b)
		}
	}
	return ids
}

// requireCounted looks for the workers as rocketshift does: to spread shards, and in doctor.
func (u *upgrade) requireCounted() {
	u.Helper()
	for queue, kind := range map[string]enumspb.TaskQueueType{
		api.ControlTaskQueue: enumspb.TASK_QUEUE_TYPE_WORKFLOW,
		api.DataTaskQueue:    enumspb.TASK_QUEUE_TYPE_ACTIVITY,
	} {
		d, err := u.client.DescribeTaskQueue(u.ctx, queue, kind)
		require.NoError(u, err)
		require.NotEmpty(u, d.GetPollers(), "workers of %s are seen with versioning too", queue)
	}
}

// stages are activities in the middle of each stage, at which an upgrade comes.
func stages() map[string]struct{ activity, mode string } {
	return map[string]struct{ activity, mode string }{
		api.AssessType: {"Assess", ""}, api.PurchaseType: {"Purchase", ""},
		api.ImportMetadataType: {"Apply", ""}, api.ReplicateType: {"AwaitCaughtUp", ""},
		api.SyncOffsetsType: {"Verify", ""}, api.VerifyType: {"Verify", ""},
		api.ShiftType: {"AwaitMembers", ""}, api.EndPhaseType: {"AwaitEmpty", plan.ModeGateway},
		api.FinalizeType: {"Ledger", ""}, api.RollbackType: {"AwaitReturnable", ""},
	}
}

// upgradeIn begins a migration with one build, and ends it with another that takes over in a stage.
func upgradeIn(t *testing.T, stage string) {
	t.Helper()
	at := stages()[stage]
	u := newUpgrade(t, at.mode)
	release := u.clusters.Hold(at.activity)
	stopFirst := u.build("1.0", allWorkflows)
	u.makeCurrent("1.0")
	run := u.start()
	if stage == api.RollbackType {
		u.called("Fence", 1)
		u.back()
	}
	u.called(at.activity, 1)
	u.requireCounted()
	lanes := u.clusters.Calls("Replicate")
	stopFirst()

	// the new build has another opinion of plans, which is none of what runs
	u.clusters.Answer("CheckPlan", func(context.Context, activities.PlanRequest) (activities.CheckedPlan, error) {
		return activities.CheckedPlan{Refused: "this build takes no plan"}, nil
	})
	u.build("1.1", allWorkflows)
	u.makeCurrent("1.1")
	tries := u.clusters.Calls(at.activity)
	u.called(at.activity, tries+1)
	if lanes > 0 {
		u.called("Replicate", lanes+1)
	}
	release()
	var last api.Status
	require.NoError(t, run.Get(u.ctx, &last))
	want := api.StateDone
	if stage == api.RollbackType {
		want = api.StateRolledBack
	}
	require.Equal(t, want, last.State)
	require.Equal(t, []string{"1.0", "1.1"}, u.builds(u.plan.WorkflowID()), "the migration")
	require.Equal(t, []string{"1.0", "1.1"}, u.builds(api.StageID(u.plan, stage)), stage)
}

func TestLiveANewBuildTakesOverInTheMiddleOfAShift(t *testing.T) {
	upgradeIn(t, api.ShiftType)
}

func TestLongANewBuildTakesOverInTheMiddleOfEachStage(t *testing.T) {
	labtest.Loop(t)
	for stage := range stages() {
		t.Run(stage, func(t *testing.T) {
			t.Parallel()
			upgradeIn(t, stage)
		})
	}
}

// A build that can't run workflows stops them where they are, and no longer than it is the current
// one.
func TestLongABuildThatIsNoGoodIsRolledBack(t *testing.T) {
	labtest.Loop(t)
	u := newUpgrade(t, "")
	release := u.clusters.Hold("AwaitMembers")
	u.build("1.0", allWorkflows)
	u.makeCurrent("1.0")
	run := u.start()
	u.called("AwaitMembers", 1)

	u.build("1.1-bad", func(r worker.WorkflowRegistry) {
		for _, kind := range []string{api.MigrationType, api.ShiftType, api.ReplicateType, api.SyncOffsetsType} {
			r.RegisterWorkflowWithOptions(func(workflow.Context, api.MigrationInput) (api.Status, error) {
				panic("a bad build")
			}, workflow.RegisterOptions{Name: kind})
		}
	})
	u.makeCurrent("1.1-bad")
	// the next try of an activity would be the new build's, which first has to take its workflow
	require.Eventually(t, func() bool { return u.failed(api.StageID(u.plan, api.ShiftType)) },
		patience, 100*time.Millisecond, "the bad build fails a task")

	u.makeCurrent("1.0")
	u.called("AwaitMembers", u.clusters.Calls("AwaitMembers")+1)
	release()
	var last api.Status
	require.NoError(t, run.Get(u.ctx, &last))
	require.Equal(t, api.StateDone, last.State)
	require.Equal(t, []string{"1.0"}, u.builds(u.plan.WorkflowID()), "the bad build has written nothing")
}

// failed reports whether a task of the workflow failed.
func (u *upgrade) failed(id string) bool {
	d, err := u.client.DescribeWorkflowExecution(u.ctx, id, "")
	return err == nil && d.GetPendingWorkflowTask().GetAttempt() > 1
}
