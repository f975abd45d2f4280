package gateway

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/memory"
)

// someRegistrations are n of them, each with a heartbeat of so many bytes.
func someRegistrations(n, size int) (all registrations) {
	for i := range n {
		address, beat := fmt.Sprintf("192.0.2.1:%d", i), bytes.Repeat([]byte{'x'}, size)
		all.Clients = append(all.Clients, registration{"broker-a", address, beat})
	}
	return all
}

// What is written is what it was before it was written piece by piece: other versions read it, and
// this one reads theirs.
func TestRegistrationsAreWrittenAsJSON(t *testing.T) {
	for n := range 3 {
		all := someRegistrations(n, 1000)
		var b bytes.Buffer
		require.NoError(t, all.writeTo(&b))
		var is registrations
		require.NoError(t, json.Unmarshal(b.Bytes(), &is))
		assert.Len(t, is.Clients, n)
		indented := must(json.MarshalIndent(all, "", " "))
		for _, text := range [][]byte{b.Bytes(), must(json.Marshal(all)), indented} {
			again, err := decodeRegistrations(bytes.NewReader(text), 1<<20)
			require.NoError(t, err, "%s", text)
			assert.Equal(t, all.Clients, again.Clients)
		}
	}
	for text, fine := range map[string]bool{
		`{}`: true, `{"clients":null}`: true, `{"clients":[]}`: true, ``: false, `[]`: false,
		`{"clients":[{"broker":"a"}]`: false,
		`{"clients":[{"odd":1}]}`:     false, `{"client":[]}`: false, `null`: false,
	} {
		is, err := decodeRegistrations(strings.NewReader(text), 1<<20)
		assert.Equal(t, fine, err == nil, "%s: %v", text, err)
		if fine {
			assert.Empty(t, is.Clients, text)
		}
	}
}

func must(text []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return text
}

// Long heartbeats are written and read without making more of them in memory than is kept.
func TestLongHeartbeatsAreKeptWithoutMuchMemory(t *testing.T) {
	all := someRegistrations(20, mostBeat)
	allocated := func(do func()) int64 {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		do()
		runtime.ReadMemStats(&after)
		return int64(after.TotalAlloc - before.TotalAlloc)
	}
	assert.Less(t, allocated(func() { assert.NoError(t, all.writeTo(io.Discard)) }), int64(1<<20))
	file, err := os.CreateTemp(t.TempDir(), "")
	require.NoError(t, err)
	defer file.Close()
	require.NoError(t, all.writeTo(file))
	_, err = file.Seek(0, io.SeekStart)
	require.NoError(t, err)
	var is registrations
	took := allocated(func() { is, err = decodeRegistrations(file, 2*mostBeat+10) })
	assert.Less(t, took, int64(16*mostBeat))
	require.NoError(t, err)
	assert.Len(t, is.Clients, 2, "for which there is room")
}

// A few clients with long heartbeats keep no other ones out of the file.
func TestShortHeartbeatsAreKeptFirst(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return true }))
	g.config.Memory = memory.LeastMemory
	for i := range 20 {
		s, _ := g.connect(t)
		s.beat = make([]byte, mostBeat-i)
	}
	for range 10 {
		s, _ := g.connect(t)
		s.beat = make([]byte, 1000)
	}
	kept := g.clients.clientsToKeep().Clients
	size := 0
	for i, one := range kept {
		assert.Equal(t, i < 10, len(one.Beat) == 1000)
		size += len(one.Beat)
	}
	assert.Greater(t, len(kept), 10)
	assert.LessOrEqual(t, size, memory.LeastMemory/8)
}

// Clients that aren't taken over are counted, and the first one is named.
func TestClientsOfBeforeThatAreNotExpectedAreSaidOnce(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return true }))
	var log logLines
	g.logsTo(logTo(&log))
	g.clients.registerAgain(t.Context(), someRegistrations(1000, 10))
	assert.Equal(t, 1, log.with("level=WARN"))
	assert.Equal(t, 1, log.with("clients=1000 first=192.0.2.1:0"))
}

// Who has found a fault brings it out again and again.
func TestFaultsAreSaidRarely(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return true }))
	var log logLines
	g.logsTo(logTo(&log))
	s, _ := g.connect(t)
	for range 10 {
		func() {
			defer s.recovered(func() int { return 1 })
			panic(errors.New("a fault"))
		}()
	}
	assert.Equal(t, 1, log.with("a fault of the gateway"))
	assert.EqualValues(t, 10, g.clients.figures.panics.Load())
}
