package instance

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

func TestOfARootWithoutInstancesThereIsNothingToListOrRemove(t *testing.T) {
	local := Local{Root: t.TempDir()}
	all, err := local.List()
	require.NoError(t, err)
	require.Empty(t, all)
	was, err := local.Remove(t.Context(), "x")
	require.NoError(t, err)
	require.False(t, was)
	clients, err := local.Clients(t.Context(), "x")
	require.NoError(t, err)
	require.Empty(t, clients)
}

func TestNamesThatLeadElsewhereAreRefused(t *testing.T) {
	local := Local{Root: t.TempDir()}
	other := filepath.Join(local.Root, ".run", "other")
	require.NoError(t, os.MkdirAll(other, 0o755))
	for _, name := range []string{"../other", "", ".", "a/b", "A"} {
		_, err := local.Remove(t.Context(), name)
		require.ErrorContains(t, err, "no migration can have that name", name)
	}
	require.DirExists(t, other)
}

func TestAFolderThatIsDamagedIsListedWithItsProblem(t *testing.T) {
	local := Local{Root: t.TempDir()}
	require.NoError(t, os.MkdirAll(local.dir("x"), 0o755))
	all, err := local.List()
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Equal(t, "x", all[0].Name)
	require.ErrorContains(t, lab.ErrNoCluster, "no cluster")
	require.Contains(t, all[0].Problem, "no cluster here")
	was, err := local.Remove(t.Context(), "x")
	require.NoError(t, err)
	require.True(t, was)
}

func TestLiveLocalInstanceIsListedAndRemovedWithItsProcesses(t *testing.T) {
	t.Parallel()
	labtest.NeedsServers(t)
	project, err := lab.Root()
	require.NoError(t, err)
	ctx, local := testContext(t), Local{Root: t.TempDir()}
	require.NoError(t, os.Symlink(filepath.Join(project, ".cache"),
		filepath.Join(local.Root, ".cache")))
	t.Cleanup(func() { _ = lab.StopDir(local.dir("x")) })
	bought, err := local.Purchase(ctx, localPlan("x"))
	require.NoError(t, err)
	all, err := local.List()
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.Len(t, all[0].Processes, 3, "a name server, a broker, a proxy")
	require.Equal(t, bought.NameServers, all[0].NameServers)
	clients, err := local.Clients(ctx, "x")
	require.NoError(t, err)
	require.Empty(t, clients, "its own proxy is no application")

	was, err := local.Remove(ctx, "x")
	require.NoError(t, err)
	require.True(t, was)
	for _, pid := range all[0].Processes {
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "process %d", pid)
	}
	require.NoDirExists(t, local.dir("x"))
	was, err = local.Remove(ctx, "x")
	require.NoError(t, err, "what isn't there is removed already")
	require.False(t, was)
}
