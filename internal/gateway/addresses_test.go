package gateway

import (
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// stood is a folder with the state of a gateway that knew brokers of both sides.
func stood(t *testing.T, change func(*store.State)) (dir string) {
	t.Helper()
	dir = t.TempDir()
	f, err := store.Open(dir)
	require.NoError(t, err)
	s := store.State{
		Epoch: 3, Ports: map[string]int{"@": freePort(t), "broker-a": freePort(t), "broker-a#1": freePort(t)}, Targets: []string{"broker-x"}, Authority: "source",
		Homes: []store.Home{}, Views: []store.View{},
		Migration: &control.Migration{
			Name:        "m",
			LaneGroup:   "l",
			Source:      "S",
			Target:      "T",
			NameServers: []string{"127.0.0.1:1"},
		},
		Brokers: map[string]store.Addresses{
			"source": {"broker-a": {"127.0.0.1:10911"}, "broker-a#1": {"127.0.0.1:10921"}},
			"target": {"broker-x": {"127.0.0.1:20911"}},
		},
	}
	change(&s)
	require.NoError(t, f.Save(func() store.State { return s }))
	return dir
}

func freePort(t *testing.T) int {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer at.Close()
	return at.Addr().(*net.TCPAddr).Port
}

func dials(t *testing.T, port int) {
	t.Helper()
	conn, err := net.Dial("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

// A gateway that is started again while all name servers are away serves all brokers at their
// ports, knows where they are, and finds them for its own calls too, although nothing has moved
// yet.
func TestAGatewayBeginsWithTheAddressesOfBefore(t *testing.T) {
	dir := stood(t, func(*store.State) {})
	kept := keptIn(t, dir)
	g, err := begins(t, dir)
	require.NoError(t, err)
	for _, port := range kept.Ports {
		dials(t, port)
	}
	assert.Equal(t, kept.Ports, g.clients.ports.numbers())
	assert.Equal(
		t,
		[]string{"127.0.0.1:10911"},
		g.clients.addresses(routing.Dest{Side: routing.Source, Broker: "broker-a"}),
	)
	assert.Equal(
		t,
		[]string{"127.0.0.1:10921"},
		g.clients.addresses(routing.Dest{Side: routing.Source, Broker: "broker-a#1"}),
	)
	assert.Equal(
		t,
		[]string{"127.0.0.1:20911"},
		g.clients.addresses(routing.Dest{Side: routing.Target, Broker: "broker-x"}),
	)
	assert.Equal(t, []string{"broker-x"}, g.sides.Greeted(), "it gets heartbeats")
	l, err := g.sides.Lanes()
	require.NoError(t, err)
	for on, name := range []string{"broker-a", "broker-x"} {
		_, err := l.Clusters[on].Broker(t.Context(), name)
		require.NoError(t, err, "positions are kept across")
	}
	assert.Equal(t, kept.Brokers, keptIn(t, dir).Brokers)
	assert.Nil(t, g.Replica().Brokers, "another gateway finds brokers by itself")
}

// Messages and answers go on naming the clusters that clients know while name servers are away.
func TestAGatewayBeginsWithTheClustersOfBefore(t *testing.T) {
	clusters := map[string]map[string]string{
		"source": {"broker-a": "Old", "broker-a#1": "Old"}, "target": {"broker-x": "Brand-New"},
	}
	dir := stood(t, func(s *store.State) { s.Clusters = clusters })
	g, err := begins(t, dir)
	require.NoError(t, err)
	assert.Equal(t, "Old", g.sides.Clusters[routing.Source].Of("broker-a"))
	assert.Equal(t, "Brand-New", g.sides.Clusters[routing.Target].Of("broker-x"))
	assert.Equal(t, clusters, keptIn(t, dir).Clusters)
	assert.Nil(t, g.Replica().Clusters, "another gateway finds them by itself")

	u := &upstream{
		session: &session{gateway: g.clients, port: &port{broker: []byte("broker-a")}},
		dest:    routing.Dest{Side: routing.Target, Broker: "broker-x"},
	}
	assert.NotNil(t, u.named("orders").Value, "names are translated before any name server has answered")
}

// Names are written when they are learnt, though no address has changed, and once.
func TestClustersAreWrittenWhenTheyAreLearnt(t *testing.T) {
	g := alone(t)
	assert.True(t, g.sides.Clusters[routing.Target].Learn([]rocketmq.Node{{Name: "broker-x", Cluster: "Brand-New"}}))
	assert.False(t, g.sides.Clusters[routing.Target].Learn([]rocketmq.Node{{Name: "broker-x", Cluster: "Brand-New"}}))
	require.NoError(t, g.save())
	assert.Equal(t, map[string]map[string]string{"target": {"broker-x": "Brand-New"}}, kept(t, g).Clusters)
	assert.True(t, g.sides.Clusters[routing.Target].Learn([]rocketmq.Node{{Name: "broker-x", Cluster: "Newer"}}))
}

func TestClustersThatAreNoneAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		`{"suorce":{"broker-a":"Old"}}`:      "source or target is possible",
		`{"source":{"broker-a":"a\u0002b"}}`: "can't be the name of a cluster",
		`{"source":{"":"Old"}}`:              "no name",
	} {
		_, err := store.Parse([]byte(`{"epoch":1,"ports":{"@":1},"homes":[],"views":[],"clusters":` + text + `}`))
		require.ErrorContains(t, err, says, text)
	}
}

// A state of an older gateway has no addresses: the ports open, and brokers are known when name
// servers answer.
func TestAStateWithoutAddressesStillOpensPorts(t *testing.T) {
	dir := stood(t, func(s *store.State) {
		s.Brokers, s.Homes = nil, []store.Home{
			{Topic: "orders", Broker: "broker-a", Queue: 0, Home: "target", Shift: 7},
		}
	})
	kept := keptIn(t, dir)
	g, err := begins(t, dir)
	require.NoError(t, err)
	for _, port := range kept.Ports {
		dials(t, port)
	}
	assert.Empty(t, g.clients.addresses(routing.Dest{Side: routing.Source, Broker: "broker-a"}))

	nothing := stood(t, func(s *store.State) { s.Brokers = nil })
	_, err = begins(t, nothing)
	require.ErrorContains(t, err, "127.0.0.1:1", "nothing depends on it, and nothing is known")
}

// What the first look saves must not lose what was decided before.
func TestAddressesAreWrittenWhenTheyChange(t *testing.T) {
	g := alone(t)
	require.NoError(t, g.save())
	addrs := map[string][]string{"broker-a": {"127.0.0.1:10911"}}
	g.sides.Brokers[routing.Source].Store(&addrs)
	require.NoError(t, g.save())
	assert.Equal(t, map[string]store.Addresses{"source": {"broker-a": {"127.0.0.1:10911"}}}, kept(t, g).Brokers)
}

func TestAddressesThatAreNoneAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		`{"suorce":{"broker-a":["127.0.0.1:1"]}}`: "source or target is possible",
		`{"source":{"broker-a":["127.0.0.1"]}}`:   "host:port is possible",
		`{"source":{"broker-a":[]}}`:              "no address",
		`{"source":{"":["127.0.0.1:1"]}}`:         "no name",
	} {
		is := store.State{Ports: map[string]int{"@": 1}}
		require.NoError(t, json.Unmarshal([]byte(text), &is.Brokers))
		var err error
		is.Checksum, err = is.Sum()
		require.NoError(t, err)
		_, err = store.Parse(jsonOf(is))
		require.ErrorContains(t, err, says, text)
	}
}

// keptIn is the state in a folder.
func keptIn(t *testing.T, dir string) store.State {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "gateway.json"))
	require.NoError(t, err)
	s, err := store.Parse(text)
	require.NoError(t, err)
	return s
}
