package gateway

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// Who names thousands of groups on hundreds of connections makes a look at who can't follow no
// dearer: its names aren't copied.
func TestALookAtClientsThatCannotFollowCopiesNoNames(t *testing.T) {
	g := before(t, newStandIn(t, func(int) bool { return true }))
	const connections = 200
	var reads []bodies.Membership
	for i := range bodies.MostMemberships {
		reads = append(reads, bodies.Membership{Group: fmt.Sprintf("group-%04d", i)})
	}
	for range connections {
		s, _ := g.connect(t)
		for i := range mostWritten {
			topic := fmt.Sprintf("topic-%04d", i)
			s.wrote.note(&topic)
		}
		s.mu.Lock()
		s.client, s.identity, s.accessKey, s.reads = "one", "stranger\none", "stranger", reads
		s.mu.Unlock()
	}
	rounds := []store.Round{
		{Kind: control.KindSide, To: "target", Group: "billing"},
		{Kind: control.KindHome, To: "target", Queues: []control.TopicQueue{{Topic: "orders", Queue: lane.Queue{}}}},
		{Kind: control.KindAuthority, To: "target"},
	}
	var first, last runtime.MemStats
	runtime.ReadMemStats(&first)
	for _, r := range rounds {
		_, err := g.allFit(r)
		require.NoError(t, err)
	}
	all := g.clients.registry.connected()
	runtime.ReadMemStats(&last)
	assert.Less(t, last.TotalAlloc-first.TotalAlloc, uint64(1<<20), "bytes for four looks")
	require.Len(t, all, 1)
	one := all[control.ClientKey{ID: "one", AccessKey: "stranger"}]
	assert.Len(t, one.Groups, control.MostOfClient)
	assert.Equal(t, "group-0063", one.Groups[control.MostOfClient-1])
	assert.Len(t, one.Topics, mostWritten)
	assert.Equal(t, bodies.MostMemberships-control.MostOfClient, one.More)
	_, err := g.allFit(store.Round{Kind: control.KindSide, To: "target", Group: "group-4000"})
	require.ErrorContains(t, err, "1 clients can't follow to the target: one at pipe")
}

// Clients that don't read hold up a move one after the other: that is said once in a while.
func TestClientsThatAreLetGoAreNotSaidEachTime(t *testing.T) {
	b := newStandIn(t, func(int) bool { return true })
	b.answer(remoting.CodeRunningInfo, wire.Reply{Body: make([]byte, 12<<20)})
	b.answer(remoting.CodeSendV2, wire.Reply{Code: remoting.NoPermission})
	g := before(t, b)
	var log logLines
	g.logsTo(logTo(&log))
	for range 3 {
		s, client := g.connect(t)
		_, err := client.Write(append(asks(1), sendFrame(2, 10)...))
		require.NoError(t, err)
		require.Eventually(t, func() bool { return s.out.Blocked() > 0 }, patience, time.Millisecond)
		_, err = g.settles(patience)
		require.NoError(t, err)
	}
	assert.Equal(t, 1, log.with("doesn't read what the answers to its sends wait behind"))
}
