package workflows

import (
	"crypto/rand"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/prepare"
	"rocketshift/workflows/standins"
)

// livePatience is a guard: what it waits for takes milliseconds.
const livePatience = time.Minute

// resettable is a real Migration and Purchase on a real server; the other stages end at once.
type resettable struct {
	*testing.T
	client client.Client
	plan   plan.Plan
}

func newResettable(t *testing.T) *resettable {
	t.Helper()
	server := labtest.Temporal(t)
	c, err := client.Dial(client.Options{
		HostPort: server.Address, Logger: log.NewStructuredLogger(labtest.Log(t, "client")),
	})
	require.NoError(t, err)
	t.Cleanup(c.Close)
	w := worker.New(c, api.ControlTaskQueue, worker.Options{DisableRegistrationAliasing: true})
	at := &workflowEnvironment{}
	register := func(name string, run stageFunc) {
		w.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: name})
	}
	register(api.MigrationType, Migration)
	register(api.PurchaseType, prepare.Purchase)
	for _, name := range []string{
		api.AssessType, api.ImportMetadataType, api.VerifyType, api.ShiftType, api.FinalizeType, api.RollbackType,
	} {
		register(name, at.goodStage(name))
	}
	for _, name := range []string{api.ReplicateType, api.SyncOffsetsType} {
		register(name, at.untilStopped(name))
	}
	standins.New().Register(w)
	require.NoError(t, w.Start())
	t.Cleanup(w.Stop)
	r := &resettable{T: t, client: c, plan: testPlan(t, func(p *plan.Plan) {
		p.Name, p.Approvals = "reset-"+strings.ToLower(rand.Text()[:8]), []plan.Gate{plan.GatePurchase}
	})}
	_, err = c.ExecuteWorkflow(t.Context(), startAs(api.StageID(r.plan, api.MigrationType)), api.MigrationType,
		api.MigrationInput{Plan: r.plan})
	require.NoError(t, err)
	return r
}

// asked is the question of Purchase as the migration shows it.
func (r *resettable) asked() (api.Waiting, bool) {
	value, err := r.client.QueryWorkflow(r.Context(), api.StageID(r.plan, api.MigrationType), "",
		api.StatusQuery)
	var s api.Status
	if err != nil || value.Get(&s) != nil {
		return api.Waiting{}, false
	}
	return message.WaitingApproval(s, string(plan.GatePurchase))
}

func (r *resettable) say(id, name string, message any) {
	r.Helper()
	handle, err := r.client.UpdateWorkflow(r.Context(), client.UpdateWorkflowOptions{
		WorkflowID: id, UpdateName: name, Args: []any{message},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(r, err)
	require.NoError(r, handle.Get(r.Context(), nil))
}

// reset begins a workflow anew from its first task, without what was said to it since.
func (r *resettable) reset(id string) {
	r.Helper()
	require.NoError(r, resetToFirstTask(r.Context(), r.client, id))
}

func TestLiveAStageThatIsResetIsHeardByItsMigration(t *testing.T) {
	r := newResettable(t)
	migration, purchase := api.StageID(r.plan, api.MigrationType), api.StageID(r.plan, api.PurchaseType)
	var before api.Waiting
	require.Eventually(t, func() (asks bool) {
		before, asks = r.asked()
		return asks
	}, livePatience, 20*time.Millisecond)
	for range 5 { // the stage tells much
		r.say(purchase, api.HoldName, api.Steering{By: "bob"})
		r.say(purchase, api.ResumeName, api.Steering{By: "bob"})
	}
	r.reset(purchase)
	require.Eventually(t, func() bool {
		now, asks := r.asked()
		return asks && now.Since.After(before.Since)
	}, livePatience, 20*time.Millisecond, "the question of the run after the reset is shown")
	r.say(migration, api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	var end api.Status
	require.NoError(t, r.client.GetWorkflow(t.Context(), migration, "").Get(t.Context(), &end))
	require.Equal(t, api.StateDone, end.State)
}

func TestLiveAMigrationThatIsResetPassesAnswersOnToTheStageThatStillRuns(t *testing.T) {
	r := newResettable(t)
	migration := api.StageID(r.plan, api.MigrationType)
	require.Eventually(t, func() bool { _, asks := r.asked(); return asks }, livePatience,
		20*time.Millisecond)
	r.reset(migration)
	require.Eventually(t, func() bool {
		value, err := r.client.QueryWorkflow(t.Context(), migration, "", api.StatusQuery)
		var s api.Status
		return err == nil && value.Get(&s) == nil && s.State == api.StateHeld
	}, livePatience, 20*time.Millisecond, "the stage runs already")
	r.say(api.StageID(r.plan, api.PurchaseType), api.HoldName, api.Steering{By: "bob"}) // so that it tells again
	r.say(api.StageID(r.plan, api.PurchaseType), api.ResumeName, api.Steering{By: "bob"})
	require.Eventually(t, func() bool { _, asks := r.asked(); return asks }, livePatience,
		20*time.Millisecond, "what it asks is shown")
	r.say(migration, api.ApproveName, api.Approval{Gate: "purchase", By: "alice"})
	var ended api.Status
	require.NoError(t, r.client.GetWorkflow(t.Context(), api.StageID(r.plan, api.PurchaseType),
		"").Get(t.Context(), &ended))
	require.Equal(t, "alice", ended.Approvals[0].By)
	require.NoError(t, r.client.TerminateWorkflow(t.Context(), migration, "", "the test is over"))
}
