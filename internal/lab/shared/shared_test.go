package shared

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASecondProcessOfAPackageGetsNoSharedClusters(t *testing.T) {
	t.Setenv(Variable, "")
	_, ok, err := Find("a/b")
	require.NoError(t, err)
	require.False(t, ok, "there are none")

	t.Setenv(Variable, t.TempDir())
	for _, c := range []struct {
		pkg  string
		want bool
	}{{"a/b", true}, {"a/c", true}, {"a/b", false}} {
		_, ok, err := Find(c.pkg)
		require.NoError(t, err)
		require.Equal(t, c.want, ok, c.pkg)
	}

	t.Setenv(Variable, t.TempDir()+"/gone")
	_, _, err = Find("a/b")
	require.ErrorContains(t, err, Variable)
}

func TestAVersionWithoutASharedClusterIsNoError(t *testing.T) {
	t.Setenv(Variable, t.TempDir())
	found, ok, err := Find("a")
	require.NoError(t, err)
	require.True(t, ok)
	_, there, err := found.Cluster("4.5.2")
	require.NoError(t, err)
	require.False(t, there)
}
