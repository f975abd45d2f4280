package driver

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEverythingThatIsMissingIsSaidAtOnce(t *testing.T) {
	root := t.TempDir()
	_, err := check(root)
	for _, name := range programs {
		require.ErrorContains(t, err, "bin/"+name+` is missing: run "make build"`)
	}
	require.ErrorContains(t, err, "make jars")
}

func TestAFullDiskIsSaid(t *testing.T) {
	const gib = 1 << 30
	require.NoError(t, judgeDisk("/d", 20*gib, 100*gib))
	require.ErrorContains(t, judgeDisk("/d", gib, 100*gib), "has 1.0 GB left and the demo needs 3")
	require.ErrorContains(t, judgeDisk("/d", 10*gib, 1000*gib), "is 99% full")
}

func TestASecondDemoOfTheSameNameIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), ".run", "demo.lock")
	first, err := lockRun(path, "a demo runs already")
	require.NoError(t, err)
	_, err = lockRun(path, "a demo runs already")
	require.ErrorContains(t, err, "a demo runs already")
	require.NoError(t, first.Close())
	again, err := lockRun(path, "a demo runs already")
	require.NoError(t, err)
	require.NoError(t, again.Close())
}

func TestARefusedDemoTouchesNothingOfTheOneThatRuns(t *testing.T) {
	d := &demo{dir: filepath.Join(t.TempDir(), "demo")}
	first, err := lockRun(d.dir+".lock", "a demo runs already")
	require.NoError(t, err)
	defer first.Close()
	d.lock, err = lockRun(d.dir+".lock", "a demo runs already")
	require.Error(t, err)
	require.NoError(t, d.end(t.Context()),
		"with anything to end it would fail here: it has no console, root or clients")
}
