package driver

import (
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// shell spawns a small program.
func shell(t *testing.T, script string) *process {
	t.Helper()
	p, err := spawn("thing", filepath.Join(t.TempDir(), "thing.log"), "ready", []string{"GREETING=hello"},
		"/bin/sh", "-c", script)
	require.NoError(t, err)
	t.Cleanup(p.kill)
	return p
}

func TestAProgramIsReadyWhenItSaysSo(t *testing.T) {
	p := shell(t, `echo starting; echo "ready $GREETING"; exec sleep 60`)
	require.NoError(t, p.awaitReady(t.Context(), 2*time.Minute))
	require.True(t, p.alive())
	require.Contains(t, tail(p.log), "starting\nready hello")
}

func TestAProgramThatEndsTooSoonShowsItsLog(t *testing.T) {
	p := shell(t, `echo "no name server" >&2; exit 7`)
	err := p.awaitReady(t.Context(), 2*time.Minute)
	require.ErrorContains(t, err, "thing ended before it was ready (exit status 7)")
	require.ErrorContains(t, err, "no name server")
}

func TestAProgramThatIsNeverReadyIsGivenUp(t *testing.T) {
	p := shell(t, `echo thinking; exec sleep 60`)
	require.ErrorContains(t, p.awaitReady(t.Context(), 50*time.Millisecond), "thing was not ready in 50ms")
}

func TestStopWaitsForAGoodEnd(t *testing.T) {
	p := shell(t, `trap 'echo bye; exit 0' TERM; echo ready; while :; do sleep 0.05; done`)
	require.NoError(t, p.awaitReady(t.Context(), 2*time.Minute))
	require.NoError(t, p.stop(2*time.Minute))
	require.False(t, p.alive())
}

func TestStopTellsABadEnd(t *testing.T) {
	p := shell(t, `trap 'echo "not finished" >&2; exit 3' TERM; echo ready; while :; do sleep 0.05; done`)
	require.NoError(t, p.awaitReady(t.Context(), 2*time.Minute))
	err := p.stop(2 * time.Minute)
	require.ErrorContains(t, err, "thing ended badly: exit status 3")
	require.ErrorContains(t, err, "not finished")
}

func TestAProgramThatDoesNotEndIsKilled(t *testing.T) {
	p := shell(t, `trap '' TERM; echo ready; while :; do sleep 0.05; done`)
	require.NoError(t, p.awaitReady(t.Context(), 2*time.Minute))
	require.ErrorContains(t, p.stop(100*time.Millisecond), "was killed")
	require.False(t, p.alive())
	require.Error(t, syscall.Kill(p.cmd.Process.Pid, 0), "the process is gone")
}

func TestAProgramThatIsNotThereIsAnError(t *testing.T) {
	_, err := spawn("thing", filepath.Join(t.TempDir(), "log"), "ready", nil, "/no/such/program")
	require.ErrorContains(t, err, "start thing")
}
