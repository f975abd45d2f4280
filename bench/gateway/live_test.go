package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

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
	c := &course{options: o, files: files, dir: t.TempDir(), root: root, source: labtest.Cluster(t, "4.9.7")}
	if o.pair() {
		c.target = labtest.Cluster(t, "5.3.3")
	}
	require.NoError(t, c.makeTopics(t.Context()))
	t.Cleanup(func() { assert.NoError(t, c.gateway.end()) })
	require.NoError(t, c.startGateway(context.WithoutCancel(t.Context()))) // it ends in order, after the test
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
	c := live(t, options{load: sends, ways: []string{"gateway"}, rounds: 1, threads: 2, body: 100, measure: 1, batch: 4, rate: 400, history: 2000, profile: profile})
	var out bytes.Buffer
	require.NoError(t, c.measureWays(t.Context(), json.NewEncoder(&out)))
	c.load = reads
	require.NoError(t, c.measureWays(t.Context(), json.NewEncoder(&out)))
	got := lines[measured](t, &out)
	require.Len(t, got, 2)
	assert.InDelta(t, 400, got[0].Messages, 200)
	assert.Positive(t, got[0].P99Ms)
	assert.Zero(t, got[0].Errors)
	assert.InDelta(t, 1500, got[1].Messages, 100)
	assert.Positive(t, got[1].BrokerCPU)
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
		assert.Zero(t, m.Errors+m.Lost, "%+v", m)
	}
	assert.Equal(t, 2*queues, got[0].Queues)
	require.NoError(t, c.measureClients(t.Context(), json.NewEncoder(&out)))
	all := lines[connected](t, &out)
	require.Len(t, all, 1)
	assert.Greater(t, all[0].Connections, 4*20)
	assert.Positive(t, all[0].MemoryMB)
}
