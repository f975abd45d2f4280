package lab

import (
	"context"
	"net"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
)

func testFiles(t *testing.T) Files {
	t.Helper()
	if testing.Short() {
		t.Skip("needs real servers")
	}
	root, err := Root()
	require.NoError(t, err)
	files, err := FindFiles(root)
	require.NoError(t, err)
	return files
}

func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// startCluster starts a cluster that ends with the test.
func startCluster(t *testing.T, spec ClusterSpec) *Cluster {
	t.Helper()
	c, err := Start(testContext(t), testFiles(t), filepath.Join(t.TempDir(), "cluster"), spec)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Kill()) })
	return c
}

// One cluster for all of its faults: each test leaves it whole.
func TestLongCluster4(t *testing.T) {
	t.Parallel()
	c := startCluster(t, ClusterSpec{Name: "C4", Version: "4.9.7", Brokers: 2})
	ctx := testContext(t)

	t.Run("is found again by its folder", func(t *testing.T) {
		same, err := Open(c.Dir)
		require.NoError(t, err)
		require.Equal(t, c.NameServers, same.NameServers)
		require.Equal(t, c.Brokers, same.Brokers)
		require.Equal(t, c.Spec(), same.Spec())
	})
	t.Run("refuses a second cluster in its folder", func(t *testing.T) {
		_, err := Start(ctx, testFiles(t), c.Dir, ClusterSpec{Version: "4.9.7"})
		require.ErrorContains(t, err, "holds the cluster C4 already")
	})
	t.Run("killed broker comes back on the same ports while the other serves", func(t *testing.T) {
		require.NoError(t, c.KillBroker("broker-b"))
		requireServes(t, c, "broker-a", true)
		requireServes(t, c, "broker-b", false)
		_, err := Open(c.Dir)
		require.ErrorIs(t, err, ErrNotRunning)
		require.ErrorContains(t, err, "broker broker-b has ended")
		require.NoError(t, c.StartBroker(ctx, "broker-b"))
		requireServes(t, c, "broker-b", true)
	})
	t.Run("starting a broker that runs changes nothing", func(t *testing.T) {
		before, err := c.server(roleBroker, "broker-a")
		require.NoError(t, err)
		require.NoError(t, c.StartBroker(ctx, "broker-a"))
		after, err := c.server(roleBroker, "broker-a")
		require.NoError(t, err)
		require.Equal(t, before, after)
	})
	t.Run("frozen broker answers again when it goes on", func(t *testing.T) {
		require.NoError(t, c.SuspendBroker("broker-a"))
		requireServes(t, c, "broker-a", false)
		require.NoError(t, c.ContinueBroker("broker-a"))
		requireServes(t, c, "broker-a", true)
	})
	t.Run("name server comes back on the same port, knowing all brokers", func(t *testing.T) {
		require.NoError(t, c.StopNameServer())
		require.NoError(t, c.StartNameServer(ctx))
		requireServes(t, c, "broker-a", true)
		requireServes(t, c, "broker-b", true)
	})
	t.Run("unknown broker is named with those there are", func(t *testing.T) {
		require.EqualError(t, c.KillBroker("broker-x"), "cluster C4 has no broker broker-x, only broker-a, broker-b")
	})
	t.Run("ends through its folder alone and starts again as it was", func(t *testing.T) {
		require.NoError(t, StopDir(c.Dir))
		_, err := Open(c.Dir)
		require.ErrorIs(t, err, ErrNotRunning)
		again, err := Restart(ctx, c.Dir)
		require.NoError(t, err)
		t.Cleanup(func() { require.NoError(t, again.Kill()) })
		require.Equal(t, c.Brokers, again.Brokers)
		requireServes(t, again, "broker-a", true)
	})
}

func TestLiveCluster5WithProxyServes(t *testing.T) {
	t.Parallel()
	c := startCluster(t, ClusterSpec{Name: "C5", Version: "5.3.3", Proxy: true})
	requireServes(t, c, "broker-a", true)
	for _, addr := range []string{c.ProxyGRPC, c.ProxyRemoting} {
		connection, err := net.Dial("tcp", addr)
		require.NoError(t, err)
		require.NoError(t, connection.Close())
	}
}

// Between the look for a free port and the server's own use of it lie seconds in which others may
// take it.
func TestLongStartTakesOtherPortsWhenSomebodyWasFaster(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cluster")
	var tries, wanted int
	spec := ClusterSpec{Version: "4.9.7", gated: sync.OnceFunc(func() {
		listener, err := net.Listen("tcp", ":"+strconv.Itoa(wanted))
		require.NoError(t, err)
		t.Cleanup(func() { listener.Close() })
	})}
	c, err := start(testContext(t), testFiles(t), dir, spec, func(n int) ([]int, error) {
		ports, err := FreePorts(n)
		if tries++; err == nil {
			wanted = ports[0]
		}
		return ports, err
	})
	require.NoError(t, err)
	require.Equal(t, 2, tries)
	require.NoError(t, c.Kill())
}

func TestLongInterruptedStartLeavesNothingBehindAndCanBeRepeated(t *testing.T) {
	files, dir := testFiles(t), filepath.Join(t.TempDir(), "cluster")
	ctx, cancel := context.WithCancel(testContext(t))
	defer cancel()
	_, err := Start(ctx, files, dir, ClusterSpec{Version: "4.9.7", gated: cancel})
	require.ErrorIs(t, err, context.Canceled)
	s, err := loadState(dir)
	require.NoError(t, err)
	for _, server := range s.Servers {
		require.False(t, server.Process.alive(), server.Name)
	}
	_, err = Open(dir)
	require.ErrorIs(t, err, ErrNoCluster)
	require.NoError(t, removeUnfinished(dir))
	require.NoFileExists(t, filepath.Join(dir, stateFile))
}

// requireServes asks the broker itself, and the name server for it.
func requireServes(t *testing.T, c *Cluster, broker string, want bool) {
	t.Helper()
	s, err := c.server(roleBroker, broker)
	require.NoError(t, err)
	client := rocketmq.NewClient(c.state.Spec.Admin.options())
	defer client.Close()
	works := func() error {
		ctx, cancel := context.WithTimeout(testContext(t), answerTime)
		defer cancel()
		return c.works(ctx, client, s, &registration{client: client, cluster: c, asked: true})
	}
	if want {
		ctx, cancel := context.WithTimeout(testContext(t), time.Minute)
		defer cancel()
		require.NoError(t, await(ctx, works), "broker %s doesn't serve", broker)
	} else {
		require.Error(t, works(), "broker %s should not answer", broker)
	}
}
