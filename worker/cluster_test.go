package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(asWorker); dir != "" {
		workForTest(dir)
		return
	}
	labtest.Main(m)
}

// patience is how long the test waits for what workers do by themselves, on a machine that has
// other work.
const patience = 4 * time.Minute

// heartbeat is how late a killed worker is noticed. A stall of a busy machine must not look like
// one: the SDK sends after 0.8 of it.
const heartbeat = 20 * time.Second

// testCluster is real brokers, a real Temporal server, and workers that are processes of their own.
type testCluster struct {
	*testing.T
	ctx            context.Context
	program        string
	server         *lab.Temporal
	client         client.Client
	source, target *rocketmq.Cluster
	plan           plan.Plan
	workers        int            // started so far
	environment    []string       // of its workers and commands, besides the process's own
	sent           map[string]int // messages of each source queue
}

// newTestCluster names the migration, its topics and its groups worker- and so on: tests of other
// packages use the same servers.
func newTestCluster(t *testing.T, name string) *testCluster {
	t.Helper()
	name = "worker-" + name
	from, to := labtest.Cluster(t, "4.9.7"), labtest.Cluster(t, "5.3.3")
	c := &testCluster{
		T:       t,
		ctx:     t.Context(),
		server:  labtest.Temporal(t),
		program: filepath.Join(t.TempDir(), "worker"),
		sent:    map[string]int{},
	}
	out, err := exec.Command("go", "build", "-o", c.program, ".").CombinedOutput()
	require.NoError(t, err, "build the worker: %s", out)
	only := plan.Selection{Include: []string{name + "-*"}}
	c.plan = plan.Plan{
		Name: name, Source: plan.Cluster{NameServers: from.NameServers},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: to.NameServers},
		Topics: plan.TopicSelection{Selection: only}, Groups: plan.Selection{Include: []string{}},
		Replicate: plan.Replicate{Shards: 3, Heartbeat: plan.Duration(heartbeat)},
	}.WithDefaults()
	require.NoError(t, c.plan.Validate())
	c.client, err = client.Dial(
		client.Options{HostPort: c.server.Address, Logger: log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK"))},
	)
	require.NoError(t, err)
	t.Cleanup(c.client.Close)
	calls := rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(calls.Close)
	c.source, c.target = rocketmq.NewCluster(calls, from.NameServers), rocketmq.NewCluster(calls, to.NameServers)
	return c
}

// process is a worker at work.
type process struct {
	cmd   *exec.Cmd
	ended chan struct{}
}

func (c *testCluster) worker() *process {
	c.Helper()
	p := &process{cmd: exec.Command(c.program), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "TEMPORAL_ADDRESS="+c.server.Address, "ROCKETSHIFT_HOME="+c.TempDir(),
		"ROCKETSHIFT_METRICS=off")
	p.cmd.Env = append(p.cmd.Env, c.environment...)
	c.workers++
	said := labtest.Output(c, fmt.Sprintf("worker %d", c.workers))
	p.cmd.Stderr, p.cmd.Stdout = said, said
	require.NoError(c, p.cmd.Start())
	go func() {
		_ = p.cmd.Wait()
		close(p.ended)
	}()
	c.Cleanup(func() { p.end(syscall.SIGKILL) })
	return p
}

func (p *process) end(how os.Signal) {
	_ = p.cmd.Process.Signal(how)
	<-p.ended
}

// name is how the worker is known to Temporal.
func (p *process) name() string { return fmt.Sprintf("%d@", p.cmd.Process.Pid) }

func (c *testCluster) eventually(what string, ok func() bool) {
	c.Helper()
	require.Eventually(c, ok, patience, 100*time.Millisecond, what)
}

func (c *testCluster) start(kind string) client.WorkflowRun {
	c.Helper()
	run, err := c.client.ExecuteWorkflow(c.ctx, client.StartWorkflowOptions{
		ID: api.StageID(c.plan, kind), TaskQueue: api.ControlTaskQueue,
	}, kind, api.MigrationInput{Plan: c.plan})
	require.NoError(c, err)
	return run
}

// shards are the Replicate activities as the server sees them.
func (c *testCluster) shards(run client.WorkflowRun) []*workflowpb.PendingActivityInfo {
	d, err := c.client.DescribeWorkflowExecution(c.ctx, run.GetID(), "")
	if err != nil {
		return nil
	}
	return d.GetPendingActivities()
}

// runs counts the shards that each worker runs now.
func (c *testCluster) runs(run client.WorkflowRun, workers ...*process) (counts []int) {
	counts = make([]int, len(workers))
	for _, p := range c.shards(run) {
		for i, w := range workers {
			if p.GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED &&
				strings.HasPrefix(p.GetLastWorkerIdentity(), w.name()) {
				counts[i]++
			}
		}
	}
	return counts
}

// load makes topics and writes to all their queues until stop, each queue in order.
func (c *testCluster) load(topics ...string) (stop func()) {
	c.Helper()
	const queues = 3
	ctx, cancel := context.WithCancel(c.ctx)
	brokers, err := c.source.Brokers(c.ctx)
	require.NoError(c, err)
	var writing sync.WaitGroup
	var mu sync.Mutex
	for _, topic := range topics {
		for _, b := range brokers {
			require.NoError(c, c.source.Client().CreateTopic(c.ctx, b.Addr, rocketmq.TopicConfig{
				Name: topic, ReadQueues: queues, WriteQueues: queues, Perm: 6, FilterType: "SINGLE_TAG",
			}))
			writing.Go(func() {
				for n := 0; ctx.Err() == nil; n++ {
					for queue := range queues {
						err := remoting.Retry(c.ctx, func() error { // what a busy broker surely didn't store
							_, err := c.source.Client().SendMessage(c.ctx, b.Addr, rocketmq.SendRequest{
								Group: "producers", Topic: topic, Queue: queue,
								BornTimestamp: time.Now().UnixMilli(),
								Body:          fmt.Appendf(nil, "%s %s/%d %d", topic, b.Name, queue, n),
							})
							return err
						})
						if err != nil {
							c.Errorf("send: %v", err)
							return
						}
					}
					mu.Lock()
					for queue := range queues {
						c.sent[fmt.Sprintf("%s %s/%d", topic, b.Name, queue)] = n + 1
					}
					mu.Unlock()
					time.Sleep(2 * time.Millisecond) // a load of some thousand a second, not all that the machine can
				}
			})
		}
	}
	return func() { cancel(); writing.Wait() }
}

// requireLedger reads every queue of the topics on the target: what was written is there once, in
// its order.
func (c *testCluster) requireLedger(topics ...string) {
	c.Helper()
	var lost, duplicated, disordered, messages int
	next := map[string]int{}
	for _, topic := range topics {
		c.each(topic, func(body string) {
			at := strings.LastIndexByte(body, ' ')
			queue, n := body[:at], 0
			_, err := fmt.Sscan(body[at:], &n)
			require.NoError(c, err)
			messages++
			switch {
			case n < next[queue]:
				duplicated++
			case n > next[queue]:
				disordered++
			}
			next[queue] = max(next[queue], n+1)
		})
	}
	for queue, n := range c.sent {
		lost += max(0, n-next[queue])
	}
	c.Logf("ledger: %d messages in %d queues, %d lost, %d duplicated, %d out of order", messages, len(c.sent),
		lost, duplicated, disordered)
	require.Equal(c, [3]int{}, [3]int{lost, duplicated, disordered}, "lost, duplicated, out of order")
}

func (c *testCluster) each(topic string, see func(body string)) {
	c.Helper()
	brokers, err := c.target.Brokers(c.ctx)
	require.NoError(c, err)
	for _, b := range brokers {
		ranges, err := c.target.Client().TopicStats(c.ctx, b.Addr, topic)
		require.NoError(c, err)
		for queue, span := range ranges {
			for at := span.Min; at < span.Max; {
				r, err := c.target.Client().
					Pull(c.ctx, b.Addr, rocketmq.PullRequest{Group: c.plan.LaneGroup(), Topic: topic, Queue: queue, Offset: at, Max: 1000})
				require.NoError(c, err)
				require.NotEmpty(c, r.Messages, "topic %s, queue %d at %d of %d", topic, queue, at, span.Max)
				for _, m := range r.Messages {
					see(string(m.Body))
				}
				at = r.Next
			}
		}
	}
}

// ends are where the queues of the topics on the target end.
func (c *testCluster) ends(topics ...string) map[string]int64 {
	ends := map[string]int64{}
	brokers, err := c.target.Brokers(c.ctx)
	require.NoError(c, err)
	for _, b := range brokers {
		for _, topic := range topics {
			ranges, err := c.target.Client().TopicStats(c.ctx, b.Addr, topic)
			require.NoError(c, err)
			for queue, span := range ranges {
				ends[fmt.Sprint(topic, " ", b.Name, "/", queue)] = span.Max
			}
		}
	}
	return ends
}

// behind is how many messages of the topics the target doesn't hold yet.
func (c *testCluster) behind(topics ...string) (n int64) {
	for side, cluster := range map[int64]*rocketmq.Cluster{1: c.source, -1: c.target} {
		brokers, err := cluster.Brokers(c.ctx)
		require.NoError(c, err)
		for _, b := range brokers {
			for _, topic := range topics {
				ranges, err := cluster.Client().TopicStats(c.ctx, b.Addr, topic)
				require.NoError(c, err)
				for _, span := range ranges {
					n += side * span.Max
				}
			}
		}
	}
	return n
}
