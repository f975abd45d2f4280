package gateway

import (
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

func TestWhoReadsAtASlaveThatIsGoneIsSentToTheMaster(t *testing.T) {
	g := idle(t)
	g.sides.Brokers[routing.Source].Store(&map[string][]string{"broker-a#1": {"127.0.0.1:1"}})
	here, there := net.Pipe()
	t.Cleanup(func() { _ = here.Close() })
	s := newSession(g.clients,
		&port{Dest: routing.Dest{Side: routing.Source, Broker: "broker-a#1"}, broker: []byte("broker-a")},
		there)
	var f wire.Frame
	require.NoError(
		t,
		f.Parse(
			wire.AppendRequest(nil, remoting.CodePull, 5, 0,
				[]string{"topic", "orders", "queueId", "0", "queueOffset", "77"}, nil),
		),
	)
	s.request(&f)
	_ = here.SetReadDeadline(time.Now().Add(patience))
	var answer wire.Frame
	require.NoError(t, wire.NewReader(here).Next(&answer))
	assert.Equal(t, remoting.PullRetryImmediately, answer.Code)
	assert.EqualValues(t, 5, answer.Opaque)
	assert.Equal(t, "77", string(answer.Get("nextBeginOffset")))
	assert.Equal(t, "0", string(answer.Get("suggestWhichBrokerId")))
}

func TestPairsStayWhileABrokerIsAway(t *testing.T) {
	g := idle(t)
	one := g.table.Topics.Ensure("%RETRY%billing")
	one.Ensure("broker-a", 1)
	one.Ensure("broker-b", 1)
	lanes, err := replicas.LanesOf(one.Name, []lane.Queue{{Broker: "broker-a"}, {Broker: "broker-b"}},
		[]lane.Queue{{Broker: "new", ID: 0}, {Broker: "new", ID: 1}}, [2][]string{}, nil)
	require.NoError(t, err)
	one.Pair(lanes, "", nil)
	all := [2]map[string]bool{{"broker-a": true, "broker-b": true}, {"new": true}}
	assert.False(t, one.Lacks(all))
	assert.True(t, one.Lacks([2]map[string]bool{{"broker-b": true}, {"new": true}}),
		"what is left would be paired with the queue of broker-a")
	assert.True(t, one.Lacks([2]map[string]bool{all[0], {}}))
}
