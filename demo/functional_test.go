package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/demo/driver"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

// These tests are the product's promise: real brokers, real clients, a real Temporal server, a
// whole migration.

// play runs the demo with programs built from what is tested.
func play(t *testing.T, o driver.Options) driver.Result {
	t.Helper()
	labtest.NeedsServers(t)
	root, err := lab.Root()
	require.NoError(t, err)
	require.NoError(t, built(root))
	o.Root, o.Out = root, labtest.Output(t, "demo")
	result, err := driver.Run(t.Context(), o) // which has a limit of its own
	require.NoError(t, err)
	t.Logf("longest pause %d ms: %s", result.Verdict.LongestPauseMs, result.Detail.Pause)
	return result
}

// built makes the programs once for all tests.
var built = func() func(root string) error {
	var once sync.Once
	var failed error
	return func(root string) error {
		once.Do(func() { failed = build(root) })
		return failed
	}
}()

func build(root string) error {
	for name, pkg := range map[string]string{
		"rocketshift": "starter", "rocketshift-worker": "worker", "rocketshift-gateway": "gateway",
		"rocketshift-demo-app": "demo/app", "rocketshift-demo-app5": "demo/app5",
	} {
		out, err := exec.Command("go", "build", "-o", filepath.Join(root, "bin", name), "./"+filepath.Join("..", pkg)).
			CombinedOutput()
		if err != nil {
			return fmt.Errorf("build %s: %w: %s", name, err, out)
		}
	}
	return nil
}

// requireUnharmed checks the verdict and that everything of the migration completed.
func requireUnharmed(t *testing.T, r driver.Result, gateway bool, messages int64) {
	t.Helper()
	requireNoHarm(t, r, gateway)
	require.GreaterOrEqual(t, r.Verdict.Messages, messages)
	require.Equal(t, api.StateDone, r.Status.State)
	types := map[string]string{}
	for _, e := range r.Workflows {
		types[e.Type] = e.Status
	}
	for _, kind := range []string{
		api.MigrationType, api.AssessType, api.PurchaseType, api.ImportMetadataType, api.ReplicateType,
		api.SyncOffsetsType, api.VerifyType, api.ShiftType, api.FinalizeType,
	} {
		require.Equal(t, "Completed", types[kind], "workflow %s; all: %v", kind, r.Workflows)
	}
}

// requireNoHarm checks that nothing was lost, repeated or out of order. A message that a client
// read twice from one place is its own doing: stock clients lose queues for a moment on a busy
// machine. While groups move behind a gateway, which tells clients where to read, it counts as
// ours.
func requireNoHarm(t *testing.T, r driver.Result, gateway bool) {
	t.Helper()
	reread := int64(0)
	for _, again := range r.Detail.Reread {
		if !gateway || !moving(r.Status, time.Unix(0, again.At)) {
			reread++
		}
	}
	v := r.Verdict
	require.Equal(t, [3]int64{}, [3]int64{v.Lost, v.Duplicated - reread, v.OutOfOrder},
		"lost, duplicated without the %d that clients read twice by themselves, out of order; examples %v",
		reread, r.Detail.Examples)
}

// moving reports whether groups or queues may have been moved shortly before that time.
func moving(s api.Status, at time.Time) bool {
	ended, begun := time.Time{}, time.Time{}
	for _, stage := range s.Stages {
		if !slices.Contains([]string{api.ShiftType, api.EndPhaseType, api.RollbackType}, stage.Name) ||
			stage.StartedAt == nil {
			continue
		}
		if begun.IsZero() || stage.StartedAt.Before(begun) {
			begun = *stage.StartedAt
		}
		if stage.EndedAt != nil && stage.EndedAt.After(ended) {
			ended = *stage.EndedAt
		}
	}
	return !begun.IsZero() && at.After(begun) && at.Before(ended.Add(time.Minute))
}

// The worker is killed in the middle of two stages; nobody notices: producers go on while there is
// none, which the driver checks, and applications are restarted once, as the migration asks.
func TestLongAMigrationHarmsNobodyThoughItsWorkerIsKilled(t *testing.T) {
	r := play(t, driver.Options{
		Name: "test-migration", KillWorkerDuring: []string{api.ReplicateType, api.ShiftType},
		Histories: fixtures("done"),
	})
	requireUnharmed(t, r, false, 20_000)
	requireStarts(t, r, 2)
	requireNothingLeft(t, "test-migration")
}

// requireStarts checks how often each application was started.
func requireStarts(t *testing.T, r driver.Result, times int) {
	t.Helper()
	require.NotEmpty(t, r.Starts)
	for name, n := range r.Starts {
		require.Equal(t, times, n, "starts of application %s", name)
	}
}

// fixtures is where `make fixtures` wants the histories of a run; empty otherwise.
func fixtures(prefix string) string {
	if os.Getenv("RECORD_FIXTURES") == "" {
		return ""
	}
	return filepath.Join("..", "workflows", "testdata", "replay", prefix)
}

// Behind a gateway nobody is restarted until everything stands on the target, and nothing is lost,
// repeated or out of order when there is neither a worker nor a Temporal for a while.
func TestLiveAMigrationBehindAGatewayHarmsNobody(t *testing.T) {
	r := play(t, driver.Options{
		Name: "test-gateway", Traffic: plan.ModeGateway, History: 9000, Histories: fixtures("gateway"),
		// which stands for ten minutes: no time-out of the gateway's is about either
		BlackoutDuring: api.ShiftType, BlackoutFor: 15 * time.Second,
	})
	requireUnharmed(t, r, true, 9000)
	require.Contains(t, r.Workflows,
		driver.Execution{ID: "migration-test-gateway-end-phase", Type: api.EndPhaseType, Status: "Completed"})
	require.Len(t, r.Status.Waves, 2)
	for _, wave := range r.Status.Waves {
		require.NotNil(t, wave.Check, "the share of step %d was measured", wave.Step)
	}
	require.InDelta(t, 100, r.Status.Waves[1].Check.Share, 0, "every message went to the target in the last step")
	requireNothingLeft(t, "test-gateway")
}

// requireNothingLeft checks that no process of the run is alive: each has the run's folder in its
// command line.
func requireNothingLeft(t *testing.T, name string) {
	t.Helper()
	root, err := lab.Root()
	require.NoError(t, err)
	for _, dir := range []string{filepath.Join(root, ".run", name), filepath.Join(root, ".run", "instances", name)} {
		require.Empty(t, processesOf(t, dir), "processes of %s", dir)
	}
}
