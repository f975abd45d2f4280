package main

import (
	"context"
	"net"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"

	"rocketshift/api"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

// podGrace is when Kubernetes kills a pod that was asked to end.
const podGrace = 30 * time.Second

// TestLongWorkerStopsWithinAPodsGrace has an activity of each role wait for servers that never
// answer, far longer than a pod may take to end.
func TestLongWorkerStopsWithinAPodsGrace(t *testing.T) {
	c := &testCluster{
		T: t, ctx: t.Context(), server: labtest.Temporal(t),
		program: filepath.Join(t.TempDir(), "worker"),
	}
	out, err := exec.Command("go", "build", "-o", c.program, ".").CombinedOutput()
	require.NoError(t, err, "build the worker: %s", out)
	c.client, err = client.Dial(client.Options{
		HostPort: c.server.Address,
		Logger:   log.NewStructuredLogger(labtest.Log(t, "Temporal's SDK")),
	})
	require.NoError(t, err)
	t.Cleanup(c.client.Close)
	var silent []string // each keeps a call waiting for 10 s
	for range 12 {
		silent = append(silent, silentServer(t))
	}
	c.plan = plan.Plan{
		Name: "worker-stop", Source: plan.Cluster{NameServers: silent},
		Target: plan.Target{Provider: plan.ProviderExisting, NameServers: []string{silentServer(t)}},
	}.WithDefaults()
	require.NoError(t, c.plan.Validate())
	worker := c.worker()
	for _, kind := range []string{api.AssessType, api.SyncOffsetsType} {
		run := c.start(kind)
		c.eventually(kind+" waits for the source", func() bool {
			pending := c.shards(run)
			return len(pending) == 1 &&
				pending[0].GetState() == enumspb.PENDING_ACTIVITY_STATE_STARTED
		})
		t.Cleanup(func() {
			_ = c.client.TerminateWorkflow(context.Background(), run.GetID(), "", "the test is over")
		})
	}
	began := time.Now()
	worker.end(syscall.SIGTERM)
	took := time.Since(began)
	t.Logf("stopped in %s", took.Round(100*time.Millisecond))
	require.Less(t, took, podGrace-5*time.Second, "connections are closed before the pod is killed")
	require.Zero(t, worker.cmd.ProcessState.ExitCode(), "an orderly end")
}

// silentServer accepts connections and never answers.
func silentServer(t *testing.T) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		var held []net.Conn
		for {
			connection, err := l.Accept()
			if err != nil {
				for _, h := range held {
					_ = h.Close()
				}
				return
			}
			held = append(held, connection)
		}
	}()
	return l.Addr().String()
}
