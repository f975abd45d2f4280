package activities_test

import (
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
	"rocketshift/workflows"
)

// day is how many measurements a question has in a day that nobody answers: it is measured after
// one hour, two, and then every four.
const day = 7

// A month of waiting at the gates of a migration of 10,000 topics, 2,000 of them ordered, and
// 10,000 groups: payloads stay under 256 kB, histories under 10 MB and 10,000 events, and all of
// them replay.
func TestLongAMonthOfALargeMigrationFitsInHistories(t *testing.T) {
	labtest.Loop(t)
	waitsFor(t, "large-releases", 10_000, 30*day, false, nil)
}

func TestLongAMonthOfALargeMigrationByGatewaysFitsInHistories(t *testing.T) {
	labtest.Loop(t)
	waitsFor(t, "large-gateway", 10_000, 30*day, false, byGateway)
}

func TestLongTheWayBackOfALargeMigrationFitsInHistories(t *testing.T) {
	labtest.Loop(t)
	waitsFor(t, "large-back", 10_000, 30*day, true, nil)
}

// The same with as many topics as don't stand in histories any more, and a few hours.
func TestLiveMigrationsOfHundredsOfTopicsFitInHistories(t *testing.T) {
	waitsFor(t, "hundreds-releases", 500, 3, false, nil)
	waitsFor(t, "hundreds-gateway", 500, 3, false, byGateway)
}

// mostPatience is how long the test waits for one thing that Temporal does, on a machine that has
// other work.
const mostPatience = 20 * time.Minute

func byGateway(p *plan.Plan) {
	p.Traffic = plan.Traffic{Mode: plan.ModeGateway, Gateways: []string{"127.0.0.1:8089"}}
}

// faster is how much faster time passes in timers of these workflows: a month takes a minute. How
// many events there are depends on what happens, not on how long it takes; the test counts
// measurements.
const faster = 100_000

// hurry makes the timers of workflows faster.
type hurry struct {
	interceptor.WorkerInterceptorBase
}

func (h *hurry) InterceptWorkflow(
	_ workflow.Context, next interceptor.WorkflowInboundInterceptor,
) interceptor.WorkflowInboundInterceptor {
	i := &hurryIn{}
	i.Next = next
	return i
}

type hurryIn struct {
	interceptor.WorkflowInboundInterceptorBase
}

func (i *hurryIn) Init(out interceptor.WorkflowOutboundInterceptor) error {
	o := &hurryOut{}
	o.Next = out
	return i.Next.Init(o)
}

type hurryOut struct {
	interceptor.WorkflowOutboundInterceptorBase
}

func (o *hurryOut) NewTimerWithOptions(
	ctx workflow.Context, d time.Duration, options workflow.TimerOptions,
) workflow.Future {
	return o.Next.NewTimerWithOptions(ctx, max(d/faster, time.Millisecond), options)
}

// waitsFor runs a migration of n topics and groups whose questions are measured so often in all
// before they are answered, and looks at what Temporal keeps of it.
func waitsFor(t *testing.T, name string, n, measurements int, back bool, change func(*plan.Plan)) {
	t.Helper()
	server := labtest.Temporal(t)
	c, err := client.Dial(client.Options{
		HostPort: server.Address, Logger: log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK")),
	})
	require.NoError(t, err)
	defer c.Close()
	p := largePlan(t, name, change)
	clusters := newPlayed(t, n)
	gates := askedGates(p, back)
	each := measurements/len(gates) + 1
	clusters.enough = each
	defer startWorkers(t, c, clusters)()
	begin := time.Now()
	run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{
		ID: p.WorkflowID(), TaskQueue: api.ControlTaskQueue,
	}, api.MigrationType, api.MigrationInput{Plan: p})
	require.NoError(t, err)
	for _, gate := range gates {
		answer(t, c, clusters, p, gate, each)
	}
	if back {
		goBack(t, c, p)
	}
	var status api.Status
	require.NoError(t, run.Get(t.Context(), &status))
	took := time.Since(begin).Round(time.Second)
	wanted := api.StateDone
	if back {
		wanted = api.StateRolledBack
	}
	require.Equal(t, wanted, status.State, "%s", status.Error)
	clusters.check(t, p, back)
	checkReport(t, clusters, p, n)
	for _, id := range workflowIDs(p) {
		k := kept(t, c, id)
		t.Logf("%s: %s", id, k)
		k.check(t, id)
		k.replay(t, id)
	}
	t.Logf("%s: %d topics and groups, %d measurements of %d questions in %s", name, n, each*len(gates),
		len(gates), took)
}

func largePlan(t *testing.T, name string, change func(*plan.Plan)) plan.Plan {
	t.Helper()
	p := plan.Plan{
		Name:      name,
		Source:    plan.Cluster{NameServers: []string{"10.0.0.1:9876", "10.0.0.2:9876"}},
		Target:    plan.Target{Provider: plan.ProviderExisting, NameServers: []string{"10.0.1.1:9876"}},
		Approvals: []plan.Gate{plan.GateShift, plan.GateFinalize},
		Shift:     plan.Shift{Steps: []int{25, 100}},
	}
	if change != nil {
		change(&p)
	}
	p = p.WithDefaults()
	require.NoError(t, p.Validate())
	return p
}

// askedGates are the questions of a migration, in their order.
func askedGates(p plan.Plan, back bool) (gates []string) {
	for _, step := range p.Shift.Steps {
		gates = append(gates, api.ShiftGate(step))
	}
	if back {
		return gates
	}
	return append(gates, string(plan.GateFinalize))
}

func startWorkers(t *testing.T, c client.Client, clusters *played) (stop func()) {
	t.Helper()
	control := worker.New(c, api.ControlTaskQueue, worker.Options{
		Interceptors: []interceptor.WorkerInterceptor{&hurry{}}, DisableRegistrationAliasing: true,
	})
	workflows.Register(control, false)
	data := worker.New(c, api.DataTaskQueue, worker.Options{
		DisableWorkflowWorker: true, MaxHeartbeatThrottleInterval: 100 * time.Millisecond,
	})
	for _, w := range []worker.Worker{control, data} {
		clusters.register(w)
		require.NoError(t, w.Start())
	}
	return func() {
		control.Stop()
		data.Stop()
	}
}

// answer approves a gate when its evidence was measured so often.
func answer(t *testing.T, c client.Client, clusters *played, p plan.Plan, gate string, measured int) {
	t.Helper()
	var asked api.Waiting
	require.Eventually(t, func() bool {
		asked = askedFor(t, c, p, gate)
		return asked.Gate != ""
	}, mostPatience, 20*time.Millisecond, "the migration asks for %s", gate)
	first := clusters.looks()
	require.Eventually(t, func() bool { return clusters.looks() >= first+measured }, mostPatience,
		20*time.Millisecond, "%s: %d of %d measurements", gate, clusters.looks()-first, measured)
	clusters.stand(true)
	defer clusters.stand(false)
	require.Eventually(t, func() bool {
		u, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
			WorkflowID: p.WorkflowID(), UpdateName: api.ApproveName,
			WaitForStage: client.WorkflowUpdateStageCompleted,
			Args:         []any{api.Approval{Gate: gate, By: "alice", Reason: "looks well"}},
		})
		if err == nil {
			err = u.Get(t.Context(), nil)
		}
		return err == nil && eventually(5*time.Second, func() bool { return askedFor(t, c, p, gate).Gate == "" })
	}, mostPatience, 20*time.Millisecond, "%s is approved", gate)
}

func eventually(limit time.Duration, ok func() bool) bool {
	for end := time.Now().Add(limit); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return true
		}
	}
	return false
}

func statusOf(t *testing.T, c client.Client, p plan.Plan) (s api.Status, bytes int) {
	t.Helper()
	value, err := c.QueryWorkflow(t.Context(), p.WorkflowID(), "", api.StatusQuery)
	if err != nil {
		return s, 0 // the workflow's first task isn't done yet
	}
	require.NoError(t, value.Get(&s))
	b, err := json.Marshal(s)
	require.NoError(t, err)
	return s, len(b)
}

// askedFor is the question of a gate, if it stands. What is told by then has to fit in a payload,
// too.
func askedFor(t *testing.T, c client.Client, p plan.Plan, gate string) api.Waiting {
	t.Helper()
	s, size := statusOf(t, c, p)
	require.Less(t, size, mostPayload, "the status at %s", gate)
	for _, w := range s.Waiting {
		if w.Gate == gate {
			return w
		}
	}
	return api.Waiting{}
}

// goBack asks for the way back when all has moved.
func goBack(t *testing.T, c client.Client, p plan.Plan) {
	t.Helper()
	finalize := string(plan.GateFinalize)
	require.Eventually(t, func() bool { return askedFor(t, c, p, finalize).Gate != "" }, mostPatience,
		20*time.Millisecond, "everything has moved")
	u, err := c.UpdateWorkflow(t.Context(), client.UpdateWorkflowOptions{
		WorkflowID: p.WorkflowID(), UpdateName: api.BackName,
		WaitForStage: client.WorkflowUpdateStageCompleted,
		Args:         []any{api.Steering{By: "alice", Reason: "errors rise"}},
	})
	require.NoError(t, err)
	require.NoError(t, u.Get(t.Context(), nil))
}

// check looks that parts and batches together were everything, once.
func (p *played) check(t *testing.T, of plan.Plan, back bool) {
	t.Helper()
	var topics, ordered, free, groups []string
	for _, topic := range p.found.Topics {
		topics = append(topics, topic.Name)
		if topic.Ordered {
			ordered = append(ordered, topic.Name)
		} else {
			free = append(free, topic.Name)
		}
	}
	for _, g := range p.found.Groups {
		groups = append(groups, g.Name)
	}
	wanted := map[string][]string{
		"Apply topics": topics, "Apply groups": groups, "Verify": topics,
		"Fence source": groups, "AwaitMembers source": groups, "CloseTopics": ordered, "MoveOrdered source": ordered,
		"AwaitQuiet source": free, "AwaitDrained": free, "CheckWave topics": topics, "CheckWave groups": groups,
	}
	if of.Traffic.Mode == plan.ModeGateway {
		wanted = map[string][]string{
			"Apply topics": topics, "Apply groups": groups, "Verify": topics, "Unfence target": groups,
			"OpenTopics": ordered, "Prepare": ordered, "MoveGroups target": groups,
		}
	}
	if back {
		wanted["AwaitQuiet target"], wanted["Unfence source"], wanted["AwaitReturnable"] = topics, groups, groups
	}
	for what, names := range wanted {
		got := p.noted(what)
		if strings.HasPrefix(what, "Await") { // which begin anew when the pipeline says more
			got = slices.Compact(got)
		}
		if !slices.Equal(names, got) {
			t.Errorf("%s: %d names, wanted the %d of the inventory, each once", what, len(got), len(names))
		}
	}
	if back {
		require.Empty(t, p.fenced, "no group stays fenced")
	}
}

// checkReport looks that the report has whole what histories refer to.
func checkReport(t *testing.T, clusters *played, p plan.Plan, n int) {
	t.Helper()
	var report struct {
		Inventory struct{ Findings []api.Finding }
		Waves     []struct{ Topics, Groups []string }
		Ledger    struct{ Rows []api.LedgerRow }
	}
	path := filepath.Join(clusters.settings.Root, ".run", "reports", p.Name+".json")
	readJSON(t, path, &report)
	assert.Len(t, report.Inventory.Findings, n)
	names := 0
	for _, w := range report.Waves {
		names += len(w.Topics) + len(w.Groups)
	}
	wanted := 2 * n
	if p.Traffic.Mode == plan.ModeGateway { // homes move by queues
		wanted = n
	}
	assert.Equal(t, wanted, names, "names of all waves")
	assert.NotEmpty(t, report.Ledger.Rows)
}

func workflowIDs(p plan.Plan) []string {
	ids := []string{p.WorkflowID()}
	for _, stage := range []string{
		api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType,
		api.SyncOffsetsType, api.VerifyType, api.ShiftType, api.EndPhaseType,
		api.FinalizeType, api.RollbackType,
	} {
		ids = append(ids, api.StageID(p, stage))
	}
	return ids
}
