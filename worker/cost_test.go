package main

import (
	"bufio"
	"crypto/rand"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"
	"google.golang.org/protobuf/types/known/durationpb"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

const (
	costTopics = 100 // ordered, as the issue has them
	costWindow = 5 * time.Minute
	// costHeartbeat is that of lanes in the test, so that there are many in a window.
	costHeartbeat = 10 * time.Second
	day           = 24 * time.Hour
	// steadyAttempt is how long an attempt of a wait lasts in the end (workflows.oldTimeout without
	// activities.lookTime), and the pause before the next. Waits are that old after an hour.
	steadyAttempt = 45*time.Minute + time.Second
	// closedAttempt is the same for waits that applications may be refused for (waitTimeout), and
	// closedBeats how many heartbeats these have in a window of their first hour: by a time-out of
	// a minute (waitHeartbeat), of which the SDK lets 0.8 pass. Later they have none.
	closedAttempt = 10*time.Minute + time.Second
	closedBeats   = float64(costWindow) / float64(48*time.Second)
	// questions is what a question costs beside that, whose evidence is measured every four hours:
	// six measurements of an activity, a timer and a word to the migration, with some to spare.
	questions = 6 * 5
)

var action = regexp.MustCompile(`^action\{action_type="([^"]+)",namespace="([^"]+)".*\} (\S+)$`)

// actions are the server's own counters of a namespace: what Temporal Cloud takes money for.
func (c *testCluster) actions(namespace string) map[string]float64 {
	c.Helper()
	request, err := http.NewRequestWithContext(c.ctx, http.MethodGet, c.server.Metrics, nil)
	require.NoError(c, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(c, err)
	defer response.Body.Close()
	sums := map[string]float64{}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		if found := action.FindStringSubmatch(lines.Text()); found != nil && found[2] == namespace {
			n, err := strconv.ParseFloat(found[3], 64)
			require.NoError(c, err)
			sums[found[1]] += n
		}
	}
	require.NoError(c, lines.Err())
	return sums
}

// waitingState is something that a migration waits for, for weeks.
type waitingState struct {
	name    string
	waits   string // activity of the Shift that waits; empty: none
	gates   []plan.Gate
	group   bool    // there is one, with a member that stays
	say     bool    // the pipeline says that producers have left, and they have not
	besides float64 // actions a day that a window is too short for
}

// TestLongAMigrationThatWaitsCostsUnderAThousandActionsADay counts what a migration of a hundred
// ordered topics costs that waits, with the lanes in four shards and somebody who watches it. A day
// is extrapolated from five minutes:
//   - heartbeats in proportion to the time-out, which is sixty times as long by default;
//   - attempts of waits by their steady length, which they reach after an hour; those in the window
//     must be no more than the schedule has until then;
//   - everything else as it is counted.
func TestLongAMigrationThatWaitsCostsUnderAThousandActionsADay(t *testing.T) {
	labtest.Loop(t)
	watch := filepath.Join(t.TempDir(), "rocketshift")
	out, err := exec.Command("go", "build", "-o", watch, "../starter").CombinedOutput()
	require.NoError(t, err, "build the CLI: %s", out)
	for _, state := range []waitingState{
		{name: "gate", gates: []plan.Gate{plan.GateShift}, besides: questions},
		{name: "groups", waits: "AwaitMembers", group: true},
		{name: "ordered", waits: "AwaitOrdered"},
		{name: "soak", waits: "CheckWave", say: true},
	} {
		t.Run(state.name, func(t *testing.T) {
			t.Parallel()
			newTestCluster(t, "cost-"+state.name).costs(state, watch)
		})
	}
}

func (c *testCluster) costs(state waitingState, watch string) {
	namespace := c.ownNamespace()
	c.plan.Topics.Ordered = c.plan.Topics.Include
	c.plan.Replicate = plan.Replicate{
		Shards:    2, // of each of two brokers
		Heartbeat: plan.Duration(costHeartbeat),
	}
	c.plan.Shift = plan.Shift{
		Steps:  []int{100},
		Settle: plan.Duration(time.Minute), Soak: plan.Duration(time.Second),
	}
	if state.group { // fenced for the settle time
		c.plan.Groups.Include = c.plan.Topics.Include
		c.plan.Shift.Settle = plan.Duration(10 * time.Second)
	}
	c.plan.Approvals = append([]plan.Gate{}, state.gates...)
	c.plan = c.plan.WithDefaults()
	require.NoError(c, c.plan.Validate())
	c.writeSometimes()
	if state.group {
		c.member(c.plan.Name+"-readers", c.plan.Name+"-000")
	}
	c.worker()
	c.start(api.MigrationType)
	if state.say {
		c.sayReleased()
	}
	var waits []string
	require.Eventually(c, func() bool {
		waits = c.longWaits(state)
		return len(waits) > 0
	}, 12*time.Minute, time.Second, "it waits, in attempts that aren't short any more")
	defer c.watchStatus(watch)()
	time.Sleep(10 * time.Second) // its first look asks; the window is a time, not a wait for something
	before := c.actions(namespace)
	time.Sleep(costWindow)
	c.judge(state, waits, before, c.actions(namespace))
}

// judge extrapolates a day from what was counted before and after a window.
func (c *testCluster) judge(state waitingState, of []string, before, after map[string]float64) {
	c.Helper()
	counted := map[string]float64{}
	for kind, n := range after {
		if n -= before[kind]; n > 0 {
			counted[kind] = n
		}
	}
	c.Logf("%s: %v wait; counted in %s: %v", state.name, of, costWindow, counted)
	const beats, retries = "grpc_RecordActivityTaskHeartbeat", "activity_retry"
	windows := float64(day) / float64(costWindow)
	usual := plan.Plan{}.WithDefaults().Replicate.Heartbeat
	waits := 0.0
	for _, name := range of {
		steady := steadyAttempt
		if name == "AwaitOrdered" || name == "AwaitMembers" {
			steady = closedAttempt
			counted[beats] -= closedBeats
		}
		waits += float64(day) / float64(steady)
	}
	lanes := counted[beats] * windows * float64(costHeartbeat) / float64(usual)
	require.Greater(c, lanes, 600.0, "4 shards and the positions beat, or nothing was counted")
	require.LessOrEqual(c, counted[retries], float64(2*len(of)),
		"an attempt lasts as long as the wait before it")
	rest := state.besides
	for kind, n := range counted {
		if kind != beats && kind != retries {
			rest += n * windows
		}
	}
	c.Logf("%s: a day costs %.0f actions: %.0f of lanes and positions, "+
		"%.0f of waits, %.0f of all else", state.name, lanes+waits+rest, lanes, waits, rest)
	require.Less(c, lanes+waits+rest, 1000.0)
}

// ownNamespace makes a namespace for the test: the counters are by namespace.
func (c *testCluster) ownNamespace() string {
	c.Helper()
	// letters and digits alone: the server's metrics write others as _
	at := client.Options{HostPort: c.server.Address, Namespace: "cost" + strings.ToLower(rand.Text()[:8])}
	namespaces, err := client.NewNamespaceClient(at)
	require.NoError(c, err)
	defer namespaces.Close()
	require.NoError(c, namespaces.Register(c.ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: at.Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(day),
	}))
	c.environment = []string{"TEMPORAL_NAMESPACE=" + at.Namespace, "TEMPORAL_ADDRESS=" + at.HostPort}
	c.client, err = client.Dial(at)
	require.NoError(c, err)
	c.Cleanup(c.client.Close)
	return at.Namespace
}

// longWaits are the activities that wait, once none is watched closely any more, and the attempts
// of all are long. Before that it is nil.
func (c *testCluster) longWaits(state waitingState) (names []string) {
	of := map[string]string{api.MigrationType: "WatchTarget"}
	if state.waits != "" {
		of[api.ShiftType] = state.waits
	} else if _, asked := c.waiting(api.WaitingApproval); !asked {
		return nil
	}
	for kind, name := range of {
		d, err := c.client.DescribeWorkflowExecution(c.ctx, api.StageID(c.plan, kind), "")
		if err != nil {
			return nil
		}
		there := false
		for _, p := range d.GetPendingActivities() {
			beat := p.GetActivityOptions().GetHeartbeatTimeout().AsDuration()
			if beat > 0 && beat < time.Minute || p.GetAttempt() < 7 { // five are short
				return nil
			}
			there = there || p.GetActivityType().GetName() == name
			names = append(names, p.GetActivityType().GetName())
		}
		if !there {
			return nil
		}
	}
	return names
}

// waiting is the first entry of a kind on the migration's page.
func (c *testCluster) waiting(kind string) (w api.Waiting, found bool) {
	var status api.Status
	value, err := c.client.QueryWorkflow(c.ctx, c.plan.WorkflowID(), "", api.StatusQuery)
	if err != nil || value.Get(&status) != nil {
		return w, false
	}
	for _, w := range status.Waiting {
		if w.Kind == kind {
			return w, true
		}
	}
	return w, false
}

// sayReleased says that producers have left, when they are asked to.
func (c *testCluster) sayReleased() {
	c.Helper()
	c.eventually("producers are asked to move", func() bool {
		_, asked := c.waiting(api.WaitingRelease)
		return asked
	})
	update, err := c.client.UpdateWorkflow(c.ctx, client.UpdateWorkflowOptions{
		WorkflowID: c.plan.WorkflowID(), UpdateName: api.ReleasedName,
		Args:         []any{api.Released{By: "ci"}},
		WaitForStage: client.WorkflowUpdateStageCompleted,
	})
	require.NoError(c, err)
	require.NoError(c, update.Get(c.ctx, nil))
}

// watchStatus runs `rocketshift status --watch` until the function that it returns is called.
func (c *testCluster) watchStatus(program string) (stop func()) {
	c.Helper()
	watching := exec.Command(program, "status", c.plan.Name, "--watch")
	watching.Env = append(os.Environ(), c.environment...)
	said := labtest.Output(c, "status --watch")
	watching.Stdout, watching.Stderr = said, said
	require.NoError(c, watching.Start())
	return func() {
		_ = watching.Process.Kill()
		_ = watching.Wait()
	}
}
