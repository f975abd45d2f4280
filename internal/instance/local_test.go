package instance

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/plan"
)

// workerRoot makes this test binary play a worker that purchases an instance below that folder.
const workerRoot = "INSTANCE_TEST_WORKER_ROOT"

func TestMain(m *testing.M) {
	if root := os.Getenv(workerRoot); root != "" {
		is, err := Local{Root: root}.Purchase(context.Background(), localPlan("x"))
		fmt.Println(is.NameServers, err)
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func localPlan(name string) plan.Plan {
	return plan.Plan{Name: name, Target: plan.Target{Provider: plan.ProviderLocal}}
}

// dataRoot is a root of its own with the project's jars.
func dataRoot(t *testing.T) string {
	t.Helper()
	labtest.NeedsServers(t)
	project, err := lab.Root()
	require.NoError(t, err)
	root := t.TempDir()
	require.NoError(t, os.Symlink(filepath.Join(project, ".cache"), filepath.Join(root, ".cache")))
	t.Cleanup(func() { // the instance is made to outlive this process
		cluster, err := lab.Open(Local{Root: root}.dir("x"))
		require.NoError(t, err)
		require.NoError(t, cluster.Kill())
	})
	return root
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // a guard
	t.Cleanup(cancel)
	return ctx
}

func TestLiveLocalInstanceIsOneAndTheSameHoweverOftenItIsPurchased(t *testing.T) {
	t.Parallel()
	ctx, local := testContext(t), Local{Root: dataRoot(t)}
	local.Settings = func(context.Context) (map[string]string, error) {
		return map[string]string{"messageDelayLevel": "7s", "enableMixedMessageType": "false"}, nil
	}
	p := localPlan("x")
	is := contract{provider: local, plan: p}.holds(t)
	require.Equal(t, "rocketshift-x", is.Cluster)
	require.Equal(t, plan.DefaultVersion, is.Version)
	requireListens(t, append(is.NameServers, is.ProxyGRPC)...)
	cluster, err := lab.Open(local.dir(p.Name))
	require.NoError(t, err)
	want := map[string]string{"messageDelayLevel": "7s", "enableMixedMessageType": "true"}
	require.Equal(t, want, cluster.Spec().Config, "the given lines, but what the provider itself needs")

	t.Run("another plan under the same name is refused", func(t *testing.T) {
		other := p
		other.Target.Brokers = 2
		_, err := local.Purchase(ctx, other)
		require.ErrorContains(t, err, "it runs RocketMQ 5.3.3 with 1 brokers, the plan says 5.3.3 with 2")
	})
	t.Run("a released one is started again on the same ports", func(t *testing.T) {
		require.NoError(t, local.Release(ctx, p.Name))
		_, there, err := local.Describe(ctx, p)
		require.NoError(t, err)
		require.False(t, there, "after the release")
		again, err := local.Purchase(ctx, p)
		require.NoError(t, err)
		require.Equal(t, is, again)
		requireListens(t, append(again.NameServers, again.ProxyGRPC)...)
	})
}

func TestLongLocalInstanceHalfStartedByAKilledWorkerIsStartedAnewByTheNextAndOutlivesIt(t *testing.T) {
	t.Parallel()
	ctx, root := testContext(t), dataRoot(t)
	said := labtest.Output(t, "workers")
	worker := exec.Command(os.Args[0])
	worker.Stdout, worker.Stderr = said, said
	env := append(os.Environ(), workerRoot+"="+root)
	worker.Env = append(slices.Clone(env), "JAVA_HOME="+deafJava(t)) // its servers start, and never serve
	require.NoError(t, worker.Start())
	state := filepath.Join(root, ".run", "instances", "x", "state.json")
	require.Eventually(t, func() bool {
		_, err := os.Stat(state)
		return err == nil
	}, 2*time.Minute, 10*time.Millisecond, "the worker should begin to start the instance")
	require.NoError(t, worker.Process.Kill())
	_ = worker.Wait()
	before, err := os.ReadFile(state)
	require.NoError(t, err)
	require.Contains(t, string(before), `"served": false`, "the worker should not get further")

	// The next worker does it, and ends.
	next := exec.CommandContext(ctx, os.Args[0])
	next.Env, next.Stderr = env, said
	out, err := next.Output()
	require.NoError(t, err)
	is, there, err := Local{Root: root}.Describe(ctx, localPlan("x"))
	require.NoError(t, err)
	require.True(t, there, "the instance should outlive its worker, which said: %s", out)
	require.Equal(t, fmt.Sprintln(is.NameServers, nil), string(out))
	requireListens(t, is.NameServers...)
	require.Equal(t, 3, processesBelow(t, root),
		"a name server, a broker and a proxy should run, and nothing of the first start")
}

func TestLocalInstanceSaysThatItWaitedForAnotherWorker(t *testing.T) {
	local := Local{Root: t.TempDir()}
	unlock, err := local.lock(testContext(t), "x")
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 150*time.Millisecond)
	defer cancel()
	_, err = local.Purchase(ctx, localPlan("x"))
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.ErrorContains(t, err, "x.lock, which another worker may hold")
	unlock()
}

func TestLocalInstanceWithoutJarsSaysWhatToDo(t *testing.T) {
	_, err := Local{Root: t.TempDir()}.Purchase(testContext(t), localPlan("x"))
	require.ErrorContains(t, err, `run "make jars"`)
}

func TestReleaseOfWhatWasNeverPurchasedIsNoError(t *testing.T) {
	require.NoError(t, Local{Root: t.TempDir()}.Release(testContext(t), "x"))
}

// deafJava is a folder with a java program that says its version, and else does nothing.
func deafJava(t *testing.T) string {
	t.Helper()
	home := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(home, "bin"), 0o755))
	const script = "#!/bin/sh\n[ \"$1\" = -version ] && { echo 'openjdk version \"21\"'; exit; }\nexec sleep 600\n"
	require.NoError(t, os.WriteFile(filepath.Join(home, "bin", "java"), []byte(script), 0o755))
	return home
}

func requireListens(t *testing.T, addrs ...string) {
	t.Helper()
	for _, addr := range addrs {
		connection, err := net.DialTimeout("tcp", addr, time.Minute)
		require.NoError(t, err)
		require.NoError(t, connection.Close())
	}
}

// processesBelow counts the processes that work in folders below dir.
func processesBelow(t *testing.T, dir string) (n int) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/cwd")
	require.NoError(t, err)
	for _, link := range links {
		if cwd, err := os.Readlink(link); err == nil && strings.HasPrefix(cwd, dir) {
			n++
		}
	}
	return n
}
