package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// live is a short course between the clusters that this binary's tests share.
func live(t *testing.T, o options) *course {
	t.Helper()
	root, err := lab.Root()
	require.NoError(t, err)
	files, err := lab.FindFiles(root)
	require.NoError(t, err)
	c := &course{
		options: o,
		files:   files,
		dir:     t.TempDir(),
		root:    root,
		talk:    labtest.Output(t, "programs"),
		source:  labtest.Cluster(t, "4.9.7"),
	}
	if o.pair() {
		c.target = labtest.Cluster(t, "5.3.3")
	}
	require.NoError(t, c.makeTopics(t.Context()))
	t.Cleanup(func() { assert.NoError(t, c.gateway.end()) })
	require.NoError(t, c.startGateways(context.WithoutCancel(t.Context()))) // it ends in order, after the test
	return c
}

func lines[T any](t *testing.T, out *bytes.Buffer) (all []T) {
	t.Helper()
	for d := json.NewDecoder(out); d.More(); {
		var one T
		require.NoError(t, d.Decode(&one))
		all = append(all, one)
	}
	return all
}

func TestLongSendsAndReadsAreMeasured(t *testing.T) {
	profile := filepath.Join(t.TempDir(), "profile")
	c := live(t, options{
		load:    sends,
		ways:    []string{"direct", "gateway"},
		rounds:  1,
		threads: 2,
		body:    100,
		warm:    2,
		measure: 10,
		batch:   4,
		rate:    400,
		history: 2000,
		profile: profile,
	})
	var out bytes.Buffer
	require.NoError(t, c.measureWays(t.Context(), json.NewEncoder(&out)))
	c.load, c.ways, c.work = reads, []string{
		"gateway",
	}, 5*time.Millisecond // so slow that much is left when the measuring begins
	require.NoError(t, c.measureWays(t.Context(), json.NewEncoder(&out)))
	got := lines[measured](t, &out)
	require.Len(t, got, 3)
	for _, sent := range got[:2] { // how many it sends in its time depends on the machine
		assert.Positive(t, sent.Messages)
		assert.Zero(t, sent.Messages%c.batch)
		assert.InDelta(t, float64(sent.Messages)/float64(c.measure), sent.PerSecond, 1)
		assert.Positive(t, sent.P99Ms)
	}
	// A machine that stalls for longer than the client's time costs each thread a send, whatever
	// its way.
	assert.LessOrEqual(t, got[1].Errors, got[0].Errors+c.threads)
	assert.Positive(t, got[2].Messages)
	assert.LessOrEqual(t, got[2].Messages, 1500, "a quarter of the history is read before")
	assert.Positive(t, got[2].BrokerCPU)
	require.NoError(t, c.gateway.end())
	c.gateway = nil
	info, err := os.Stat(profile)
	require.NoError(t, err)
	assert.Positive(t, info.Size())
}

func TestLongClientsAndMovesAreMeasured(t *testing.T) {
	c := live(t, options{load: moves, threads: 2, rate: 200, measure: 1, clients: 20, moves: 1, topics: 0, chunk: 50})
	var out bytes.Buffer
	require.NoError(t, c.measureMoves(t.Context(), json.NewEncoder(&out)))
	got := lines[moved](t, &out)
	require.Len(t, got, 2)
	for _, m := range got {
		assert.Equal(t, 2, m.Moves, "%+v", m)
		assert.Zero(t, m.Refused+m.Lost, "%+v", m)
	}
	assert.Equal(t, 2*queues, got[0].Queues)
	require.NoError(t, c.measureClients(t.Context(), json.NewEncoder(&out)))
	all := lines[connected](t, &out)
	require.Len(t, all, 1)
	assert.Greater(t, all[0].Connections, 4*20)
	assert.Positive(t, all[0].MemoryMB)
}

func TestLongASiegeIsMeasured(t *testing.T) {
	labtest.Loop(t)
	c := live(t, options{
		load:    hostile,
		threads: 2,
		rate:    100,
		warm:    1,
		measure: 3,
		memory:  256,
		enemy:   300,
		pace:    100,
		full:    2 * time.Second,
	})
	var out bytes.Buffer
	require.NoError(t, c.measureHostile(t.Context(), json.NewEncoder(&out)))
	all := lines[besieged](t, &out)
	require.Len(t, all, 6)
	for _, m := range all {
		assert.Positive(t, m.Sends, m.Phase)
		assert.Positive(t, m.SendP99Ms, m.Phase)
		assert.Less(t, m.MemoryMB, 256.0, m.Phase)
	}
	there, after := all[2], all[3]
	assert.Positive(t, there.Open)
	assert.Positive(t, there.Bounds.Waited, "frames that have begun take all there is")
	assert.Positive(t, there.Bounds.Evicted)
	assert.Zero(t, after.Open)
	assert.Less(t, after.Bounds.Held, int64(1<<20), "what they held is given back")
}

func TestLongRestartsOfAllWaysAreMeasured(t *testing.T) {
	labtest.Loop(t)
	c := live(t, options{
		load: restarts, threads: 1, rate: 20, warm: 1, restarts: 1,
		groups: []string{"mixed"}, kills: []string{killed, takeover},
	})
	var out bytes.Buffer
	// the last gateway ends in order, after the test
	require.NoError(t, c.measureRestarts(context.WithoutCancel(t.Context()), json.NewEncoder(&out)))
	all := lines[restarted](t, &out)
	require.Len(t, all, 6, "a line for each kind of members")
	for _, m := range all {
		assert.Zero(t, m.Lost, "%+v", m)
		assert.Positive(t, m.OnMs.Max, "%+v", m)
	}
}
