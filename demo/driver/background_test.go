package driver

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
)

// backgroundFleet is a fleet of fake applications that outlive their driver.
func backgroundFleet(t *testing.T) (f *fleet, again func() *fleet) {
	t.Helper()
	f, _ = testFleet(t)
	f.begin = inBackground
	return f, func() *fleet {
		other := newFleet(f.program, f.dir, Options{}.withDefaults())
		other.begin = inBackground
		require.NoError(t, other.attach())
		t.Cleanup(other.kill)
		return other
	}
}

func TestApplicationsInTheBackgroundAreFoundByTheNextDriver(t *testing.T) {
	f, again := backgroundFleet(t)
	require.NoError(t, f.deploy(t.Context(), []string{"billing"}, []string{"orders"}, []string{"ns:1", "ns:2"}))
	pid := f.consumers["billing"].process.(*background).PID()

	next := again()
	require.NoError(t, next.checkAlive())
	billing := next.consumers["billing"]
	require.Equal(t, pid, billing.process.(*background).PID())
	require.Equal(t, []string{"ns:1", "ns:2"}, billing.servers)
	require.Equal(t, []string{"orders"}, next.sendingTo([]string{"ns:1", "ns:2"}))
	require.Nil(t, next.consumers["archive"].process, "nobody started it")

	require.NoError(t, next.deploy(t.Context(), []string{"billing"}, nil, []string{"ns:1", "ns:2"}))
	require.Equal(t, pid, billing.process.(*background).PID(), "who is there stays")
	require.NoError(t, next.deploy(t.Context(), []string{"billing"}, nil, []string{"ns:3"}))
	require.NotEqual(t, pid, billing.process.(*background).PID())
	require.False(t, f.consumers["billing"].process.alive(), "the old process has ended")
	require.Equal(t, 2, again().consumers["billing"].starts)

	last := again()
	require.NoError(t, last.stopProducers())
	require.NoError(t, last.stopConsumers())
	files, err := filepath.Glob(filepath.Join(f.dir, "*.pid"))
	require.NoError(t, err)
	require.Empty(t, files)
	require.False(t, next.consumers["billing"].process.alive())
}

func TestAnApplicationInTheBackgroundThatEndsBeforeItIsReadyIsToldWithItsLog(t *testing.T) {
	f, _ := backgroundFleet(t)
	log := filepath.Join(f.dir, "group-billing.log")
	require.NoError(t, os.WriteFile(log, []byte("ready group billing, an hour ago\n"), 0o600))
	require.NoError(t, os.WriteFile(f.program, []byte("#!/bin/sh\necho no route >&2\nexit 1\n"), 0o755))
	err := f.deploy(t.Context(), []string{"billing"}, nil, []string{"ns:1"})
	require.ErrorContains(t, err, "group-billing.pid ended before it was ready")
	require.ErrorContains(t, err, "no route")
}

func TestASourceThatWasNeverStartedIsNothingToStopOrRelease(t *testing.T) {
	var said strings.Builder
	s := Source{Root: t.TempDir(), Out: &said}
	for range 2 {
		verdict, err := s.Stop(t.Context())
		require.NoError(t, err)
		require.Nil(t, verdict)
	}
	require.Contains(t, said.String(), "nothing to stop")
	require.ErrorContains(t, s.Release(t.Context(), []string{"ns:1"}), `start it by "make source"`)
	_, err := s.Start(t.Context())
	require.ErrorContains(t, err, `run "make jars"`)
}

func TestTwoCallsForASourceAtATimeAreRefused(t *testing.T) {
	s := Source{Root: t.TempDir(), Out: io.Discard}
	d, err := s.open()
	require.NoError(t, err)
	_, err = s.Stop(t.Context())
	require.ErrorContains(t, err, "another make source or source-stop is at work")
	require.NoError(t, d.lock.Close())
}

// A source that was up, and has lost a part since, belongs to somebody: it isn't started anew.
func TestASourceThatRunsInPartNamesWhatHasEnded(t *testing.T) {
	s := Source{Root: t.TempDir(), Out: io.Discard}
	d, err := s.open()
	require.NoError(t, err)
	defer d.lock.Close()
	require.NoError(t, os.MkdirAll(d.fleet.dir, 0o755))
	billing := d.fleet.pidFile(d.fleet.consumers["billing"])
	p, err := lab.StartProgram(billing, filepath.Join(d.dir, "x.log"), "/bin/sleep", "600")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, p.End(0)) })
	require.NoError(t, d.fleet.attach())
	_, err = d.running()
	require.ErrorContains(t, err, "no cluster here")
	require.ErrorContains(t, err, "application group-archive has ended")
	require.NotContains(t, err.Error(), "group-billing has ended")
	require.ErrorContains(t, err, "make source-stop")

	require.NoError(t, d.endSource())
	require.False(t, p.Alive())
}
