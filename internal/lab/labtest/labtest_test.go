package labtest

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
)

func TestMain(m *testing.M) { Main(m) }

func TestLiveClusterIsSharedByTheTestsOfTheBinary(t *testing.T) {
	first := Cluster(t, "4.9.7")
	require.Len(t, first.Brokers, 2)
	t.Run("another test", func(t *testing.T) { require.Equal(t, first.Dir, Cluster(t, "4.9.7").Dir) })
	_, err := lab.Open(first.Dir)
	require.NoError(t, err, "the shared cluster should outlive the test that asked for it")
}

func TestLongOwnClusterEndsWithItsTest(t *testing.T) {
	NeedsServers(t)
	var own *lab.Cluster
	t.Run("the test", func(t *testing.T) {
		own = OwnCluster(t, lab.ClusterSpec{Version: "4.9.7"})
		require.NoError(t, own.KillBroker("broker-a"), "it may be broken")
	})
	require.NoDirExists(t, own.Dir)
	_, err := net.Dial("tcp", own.NameServers[0])
	require.Error(t, err, "the name server should have ended")
}

func TestLiveTemporalIsSharedByTheTestsOfTheBinary(t *testing.T) {
	require.Equal(t, Temporal(t).Address, Temporal(t).Address)
}

func TestLiveFoldersThatKilledTestsLeftAreRemovedWhenTheyAreOldAndNothingRunsInThem(t *testing.T) {
	tests := t.TempDir()
	recent, old := filepath.Join(tests, "recent"), filepath.Join(tests, "old")
	require.NoError(t, os.Mkdir(recent, 0o755))
	require.NoError(t, os.Mkdir(old, 0o755))
	long := time.Now().Add(-2 * keepFor)
	require.NoError(t, os.Chtimes(old, long, long))
	linked := filepath.Join(tests, "running")
	require.NoError(t, os.Mkdir(linked, 0o755))
	require.NoError(t, os.Symlink(Cluster(t, "4.9.7").Dir, filepath.Join(linked, "cluster")))
	require.NoError(t, os.Chtimes(linked, long, long))

	require.NoError(t, sweep(tests))
	require.DirExists(t, recent)
	require.DirExists(t, linked)
	require.NoDirExists(t, old)
}
