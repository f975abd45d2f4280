package driver

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeApp writes its arguments to calls.txt next to itself, says ready, and ends well on SIGTERM.
const fakeApp = `#!/bin/sh
echo "$@" >> "$(dirname "$0")/calls.txt"
trap 'exit 0' TERM
echo ready
while :; do sleep 0.05; done
`

// testFleet is a fleet of fake applications.
func testFleet(t *testing.T) (f *fleet, calls func() []string) {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "app")
	require.NoError(t, os.WriteFile(program, []byte(fakeApp), 0o755))
	f = newFleet(program, dir, Options{}.withDefaults())
	t.Cleanup(f.kill)
	return f, func() []string {
		text, err := os.ReadFile(filepath.Join(dir, "calls.txt"))
		if os.IsNotExist(err) {
			return nil
		}
		require.NoError(t, err)
		return strings.Split(strings.TrimSpace(string(text)), "\n")
	}
}

func TestApplicationsAreStartedAsTheirKind(t *testing.T) {
	f, calls := testFleet(t)
	require.NoError(t, f.deploy(t.Context(), []string{"fulfilment"}, nil, []string{"ns:1"}))
	require.NoError(t, f.deploy(t.Context(), []string{"reporting"}, nil, []string{"ns:1", "ns:2"}))
	require.NoError(t, f.deploy(t.Context(), nil, []string{"orders"}, []string{"ns:1"}))
	require.NoError(t, f.deploy(t.Context(), nil, []string{"payments"}, []string{"ns:1"}))
	got := calls()
	require.Len(t, got, 6)
	require.Contains(t, got[0],
		"consume -group fulfilment -topics orders -orderly -name-servers ns:1 -ledger")
	require.Contains(t, got[1],
		"consume -group reporting -topics payments,audit -work 100ms -cache 16 -name-servers ns:1,ns:2 -ledger")
	require.Contains(t, got[2],
		"produce -topic orders -producer orders-1 -rate 30 -history 4000 -ordered -queues 8 -name-servers")
	require.Contains(t, got[3],
		"produce -topic orders -producer orders-2 -rate 30 -history 4000 -ordered -queues 8 -name-servers")
	require.Contains(t, got[4],
		"produce -topic payments -producer payments-1 -rate 30 -history 4000 -name-servers")
}

func TestARepeatedDeploymentChangesNothing(t *testing.T) {
	f, calls := testFleet(t)
	for range 3 {
		require.NoError(t, f.deploy(t.Context(), []string{"billing"}, []string{"audit"}, []string{"ns:1"}))
	}
	require.Len(t, calls(), 3)
}

// Before, a topic had one producer, and while it was restarted nobody wrote.
func TestProducersOfATopicAreRestartedInTurn(t *testing.T) {
	f, calls := testFleet(t)
	require.NoError(t, f.deploy(t.Context(), nil, []string{"orders"}, []string{"source:1"}))
	first, second := f.producers["orders"][0].process, f.producers["orders"][1].process
	blocked, cancel := context.WithCancel(t.Context())
	cancel() // the first one doesn't get ready elsewhere
	require.Error(t, f.deploy(blocked, nil, []string{"orders"}, []string{"target:1"}))
	require.False(t, first.alive())
	require.True(t, second.alive(), "the other one goes on")
	require.NoError(t, f.deploy(t.Context(), nil, []string{"orders"}, []string{"target:1"}))
	require.False(t, second.alive())
	got := calls() // the start that was called off may have ended before it wrote anything
	require.Contains(t, got[len(got)-1], "target:1")
}

func TestADeploymentElsewhereRestartsWithTheSameLedger(t *testing.T) {
	f, calls := testFleet(t)
	require.NoError(t, f.deploy(t.Context(), []string{"billing"}, nil, []string{"source:1"}))
	first := f.consumers["billing"].process
	require.NoError(t, f.deploy(t.Context(), []string{"billing"}, nil, []string{"target:1"}))
	require.False(t, first.alive(), "the first one has ended")
	require.True(t, f.consumers["billing"].process.alive())
	got := calls()
	require.Len(t, got, 2)
	require.Contains(t, got[1], "target:1")
	ledger := "-ledger " + f.ledger(f.consumers["billing"])
	require.Contains(t, got[0], ledger)
	require.Contains(t, got[1], ledger)
	require.NotEqual(t, got[0][strings.LastIndex(got[0], " "):], got[1][strings.LastIndex(got[1], " "):],
		"another client instance")
}

func TestProducersAreKnownByWhereTheySendAndApplicationsByTheirStarts(t *testing.T) {
	f, _ := testFleet(t)
	source, target := []string{"source:1"}, []string{"target:1"}
	require.NoError(t, f.deploy(t.Context(), []string{"billing"}, []string{"orders", "payments"}, source))
	require.ElementsMatch(t, []string{"orders", "payments"}, f.sendingTo(source))
	require.NoError(t, f.deploy(t.Context(), nil, []string{"orders"}, target))
	require.Equal(t, []string{"payments"}, f.sendingTo(source))
	require.Equal(t, []string{"orders"}, f.sendingTo(target))
	counts := f.startCounts()
	require.Equal(t, []int{2, 1, 1, 0}, []int{
		counts["producer-orders-1"],
		counts["producer-payments-1"],
		counts["group-billing"],
		counts["group-archive"],
	})
}

func TestAnUnknownGroupIsRefused(t *testing.T) {
	f, _ := testFleet(t)
	require.ErrorContains(t, f.deploy(t.Context(), []string{"nobody"}, nil, []string{"ns:1"}),
		`"nobody" is none of the demo's`)
}

func TestAnApplicationThatEndsByItselfIsNoticed(t *testing.T) {
	f, _ := testFleet(t)
	require.NoError(t, f.deploy(t.Context(), []string{"billing", "archive"}, nil, []string{"ns:1"}))
	require.NoError(t, f.checkAlive())
	f.consumers["archive"].process.kill()
	require.ErrorContains(t, f.checkAlive(), "application group-archive ended by itself")
}

func TestStoppedApplicationsAreNotMissed(t *testing.T) {
	f, _ := testFleet(t)
	require.NoError(t, f.deploy(t.Context(), []string{"billing"}, []string{"payments"}, []string{"ns:1"}))
	producer, consumer := f.producers["payments"][0].process, f.consumers["billing"].process
	require.NoError(t, f.stopProducers())
	require.NoError(t, f.stopConsumers())
	require.NoError(t, f.checkAlive())
	require.False(t, producer.alive(), "the producer still runs")
	require.False(t, consumer.alive(), "the consumer still runs")
}
