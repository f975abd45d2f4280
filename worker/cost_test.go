package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
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

	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/workflows"
)

const (
	costTopics = 100 // ordered, as the issue has them
	costWindow = 3 * time.Minute
	day        = 24 * time.Hour
	// steadyAttempt is how long an attempt of a wait lasts in the end (activities.attemptTime), and
	// the pause before the next.
	steadyAttempt = 10*time.Minute + time.Second
)

var action = regexp.MustCompile(`^action\{action_type="([^"]+)",namespace="([^"]+)".*\} (\S+)$`)

// actions are the server's own counters of a namespace: what Temporal Cloud takes money for.
func (c *crew) actions(namespace string) map[string]float64 {
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

// TestLongAMigrationThatWaitsCostsUnderAThousandActionsADay counts what a migration of a hundred
// ordered topics costs that waits for their producers, with the lanes in four shards and somebody
// who watches it. A day is extrapolated from three minutes:
//   - heartbeats in proportion to the time-out: they are counted with one of a minute, so that there
//     are some, and the default is ten times as long;
//   - attempts of waits by their steady length, which they reach after 20 minutes; the count must be
//     no more than the schedule has until then;
//   - everything else as it is counted.
func TestLongAMigrationThatWaitsCostsUnderAThousandActionsADay(t *testing.T) {
	labtest.Loop(t)
	c := newCrew(t, "cost")
	namespace := c.ownNamespace()
	c.plan.Topics.Ordered = []string{"worker-cost-*"}
	c.plan.Replicate = plan.Replicate{Shards: 2, Heartbeat: plan.Duration(time.Minute)} // of two brokers
	c.plan.Shift = plan.Shift{Steps: []int{100}, Settle: plan.Duration(time.Minute)}
	c.plan.Approvals = []plan.Gate{}
	c.plan = c.plan.WithDefaults()
	require.NoError(t, c.plan.Validate())
	c.writeSometimes()
	c.worker()
	c.start(workflows.MigrationType)
	var entries int
	require.Eventually(t, func() bool {
		entries = c.waits(7)
		return entries > 0
	}, 15*time.Minute, time.Second, "producers are waited for, in attempts that aren't short any more")
	watch := c.watchStatus()
	defer watch()
	time.Sleep(10 * time.Second) // its first look asks; the window is a time, not a wait for something

	before := c.actions(namespace)
	time.Sleep(costWindow)
	counted := map[string]float64{}
	for kind, n := range c.actions(namespace) {
		if n -= before[kind]; n > 0 {
			counted[kind] = n
		}
	}
	t.Logf("%d waiting activities; counted in %s: %v", entries, costWindow, counted)

	windows := float64(day) / float64(costWindow)
	scale := float64(c.plan.Replicate.Heartbeat) / float64(plan.Plan{}.WithDefaults().Replicate.Heartbeat)
	// a wait of less than ten settle times hands its numbers on at the end of an attempt
	beats := counted["grpc_RecordActivityTaskHeartbeat"] - counted["activity_retry"]
	lanes := beats * windows * scale
	require.Positive(t, lanes, "4 shards and the positions beat")
	waits := float64(entries) * float64(day) / float64(steadyAttempt)
	require.LessOrEqual(t, counted["activity_retry"], float64(2*entries), "an attempt lasts as long as the wait before it")
	delete(counted, "grpc_RecordActivityTaskHeartbeat")
	delete(counted, "activity_retry")
	rest := 0.0
	for _, n := range counted {
		rest += n * windows
	}
	t.Logf("a day costs %.0f actions: %.0f of lanes, %.0f of %d waits, %.0f of all else", lanes+waits+rest, lanes, waits, entries, rest)
	require.Less(t, lanes+rest+waits/float64(entries), 1000.0, "with one waiting activity")
	if entries <= 2 { // until ordered topics share their waits, each has one of its own
		require.Less(t, lanes+waits+rest, 1000.0)
	}
}

// ownNamespace makes a namespace for the test: the counters are by namespace.
func (c *crew) ownNamespace() string {
	c.Helper()
	// letters and digits alone: the server's metrics write others as _
	at := client.Options{HostPort: c.server.Address, Namespace: "cost" + strings.ToLower(rand.Text()[:8])}
	namespaces, err := client.NewNamespaceClient(at)
	require.NoError(c, err)
	defer namespaces.Close()
	require.NoError(c, namespaces.Register(c.ctx, &workflowservice.RegisterNamespaceRequest{
		Namespace: at.Namespace, WorkflowExecutionRetentionPeriod: durationpb.New(day),
	}))
	c.Setenv("TEMPORAL_NAMESPACE", at.Namespace) // of workers and commands
	c.Setenv("TEMPORAL_ADDRESS", at.HostPort)
	c.client, err = client.Dial(at)
	require.NoError(c, err)
	c.Cleanup(c.client.Close)
	return at.Namespace
}

// writeSometimes makes the topics, and writes into each of them more often than once in a settle
// time.
func (c *crew) writeSometimes() {
	c.Helper()
	brokers, err := c.source.Brokers(c.ctx)
	require.NoError(c, err)
	require.Len(c, brokers, 2)
	calls := c.source.Client()
	topics := make([]string, costTopics)
	for i := range topics {
		topics[i] = fmt.Sprintf("worker-cost-%03d", i)
		require.NoError(c, calls.CreateTopic(c.ctx, brokers[i%2].Addr, rocketmq.TopicConfig{
			Name: topics[i], ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG",
		}))
	}
	ctx, cancel := context.WithCancel(c.ctx)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			for i, topic := range topics {
				_, err := calls.SendMessage(ctx, brokers[i%2].Addr, rocketmq.SendRequest{
					Group: "producers", Topic: topic, BornTimestamp: time.Now().UnixMilli(), Body: []byte(topic),
				})
				if err != nil && ctx.Err() == nil {
					c.Logf("send: %v", err) // the next round comes
				}
			}
			_ = waitFor(ctx, 10*time.Second)
		}
	}()
	c.Cleanup(func() { cancel(); <-ended })
}

// waits counts the activities of the shift that wait, once all have taken so long that they don't
// beat any more, and have had so many attempts since.
func (c *crew) waits(attempts int32) int {
	d, err := c.client.DescribeWorkflowExecution(c.ctx, workflows.StageID(c.plan, workflows.ShiftType), "")
	if err != nil {
		return 0
	}
	for _, p := range d.GetPendingActivities() {
		beats := p.GetActivityOptions().GetHeartbeatTimeout().AsDuration() > 0
		if beats || p.GetAttempt() < attempts {
			return 0
		}
	}
	return len(d.GetPendingActivities())
}

// watchStatus runs `rocketshift status --watch` until the function that it returns is called.
func (c *crew) watchStatus() (stop func()) {
	c.Helper()
	program := filepath.Join(c.TempDir(), "rocketshift")
	out, err := exec.Command("go", "build", "-o", program, "../starter").CombinedOutput()
	require.NoError(c, err, "build the CLI: %s", out)
	watching := exec.Command(program, "status", c.plan.Name, "--watch")
	said := labtest.Output(c, "status --watch")
	watching.Stdout, watching.Stderr = said, said
	require.NoError(c, watching.Start())
	return func() {
		_ = watching.Process.Kill()
		_ = watching.Wait()
	}
}
