package rocketmq

import (
	"context"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

// nameServer answers with brokers, each written as cluster/name/id=address.
func nameServer(t *testing.T, brokers ...string) string {
	t.Helper()
	return serve(t, func(conn net.Conn, c *remoting.Command) {
		reply(conn, c, remoting.Success, nil, clusterInfo(brokers))
	}).Addr().String()
}

func clusterInfo(brokers []string) string {
	at := map[string][]string{}
	cluster := map[string]string{}
	for _, b := range brokers {
		place, addr, _ := strings.Cut(b, "=")
		is := strings.Split(place, "/")
		cluster[is[1]] = is[0]
		at[is[1]] = append(at[is[1]], fmt.Sprintf("%s:%q", is[2], addr))
	}
	var entries []string
	for name, addrs := range at {
		entries = append(entries, fmt.Sprintf(`%q:{"brokerAddrs":{%s},"brokerName":%q,"cluster":%q}`,
			name, strings.Join(addrs, ","), name, cluster[name]))
	}
	return `{"brokerAddrTable":{` + strings.Join(entries, ",") + `}}`
}

func TestASlaveStandsInForItsMasterWhereThatIsAskedFor(t *testing.T) {
	const a, slave = "C/broker-a/0=127.0.0.1:1", "C/broker-b/2=127.0.0.1:3"
	mute := "false"
	broker := serve(t, func(conn net.Conn, c *remoting.Command) {
		if c.Code == remoting.CodeBrokerConfig {
			reply(conn, c, remoting.Success, nil, "slaveReadEnable="+mute+"\n")
			return
		}
		reply(conn, c, remoting.Success, nil, `{"table":{"brokerVersionDesc":"V4_9_7"}}`)
	}).Addr().String()
	at := nameServer(t, a, "C/broker-b/1="+broker, slave)
	read := func(part Part) (*Cluster, Registry) {
		c := NewClusterOf(testClient(t), []string{at}, part)
		r, err := c.Registry(t.Context())
		require.NoError(t, err)
		return c, r
	}
	_, r := read(Part{ReadSlaves: []string{"broker-a"}})
	require.Len(t, r.Gaps(), 1, "the other one isn't asked for")
	assert.Equal(t, GapNoMaster, r.Gaps()[0].Kind)

	c, r := read(Part{ReadSlaves: []string{"broker-a", "broker-b"}})
	assert.Empty(t, r.Gaps())
	gaps, err := c.Gaps(t.Context(), r)
	require.NoError(t, err)
	require.Len(t, gaps, 1)
	assert.Contains(t, gaps[0].Text, "broker broker-b has no master, and its slave "+broker+" serves no pulls")
	assert.Contains(t, gaps[0].Mend(), "mqadmin updateBrokerConfig -b "+broker+" -k slaveReadEnable -v true")
	mute = "true"
	gaps, err = c.Gaps(t.Context(), r)
	require.NoError(t, err)
	assert.Empty(t, gaps)
	all, err := c.Brokers(t.Context())
	require.NoError(t, err)
	require.Len(t, all, 2)
	assert.False(t, all[0].Slave, "a master counts more")
	assert.Equal(t, Broker{Cluster: "C", Name: "broker-b", Addr: broker, Version: "4.9.7", Slave: true}, all[1],
		"that of the lowest id")
}

func TestTopicsThatASlaveHasNotTakenOverAreTold(t *testing.T) {
	route := Route{Queues: []RouteQueue{
		{BrokerName: "broker-a", Read: 4, Write: 4}, {BrokerName: "broker-b", Read: 4, Write: 2},
	}}
	brokers := []Broker{{Name: "broker-a"}, {Name: "broker-b", Addr: "127.0.0.1:3", Slave: true}}
	has := map[string]TopicConfig{"broker-b": {ReadQueues: 4, WriteQueues: 2}}
	assert.Empty(t, LackingOn(route, brokers, "orders", has), "masters know their topics")
	all := LackingOn(route, brokers, "orders", nil)
	require.Len(t, all, 1)
	assert.Contains(t, all[0].String(), "the slave of broker broker-b knows 0 of its 4 queues")
	assert.Contains(t, all[0].Mend(), "mqadmin updateTopic -b 127.0.0.1:3 -t 'orders' -r 4 -w 4")
	has["broker-b"] = TopicConfig{ReadQueues: 2, WriteQueues: 2}
	assert.Len(t, LackingOn(route, brokers, "orders", has), 1, "it got more since")
}

// A cluster is what all of its name servers know together. Today's code took the first answer for
// all.
func TestAClusterIsWhatAllNameServersKnow(t *testing.T) {
	const a, b = "C/broker-a/0=127.0.0.1:1", "C/broker-b/0=127.0.0.1:2"
	for name, test := range map[string]struct {
		say  [][]string // nil: it is down
		want string     // names of masters
		gaps []GapKind
	}{
		"one":                  {[][]string{{a, b}}, "broker-a broker-b", nil},
		"two that agree":       {[][]string{{a, b}, {a, b}}, "broker-a broker-b", nil},
		"each knows one":       {[][]string{{a}, {b}}, "broker-a broker-b", []GapKind{GapPartial, GapPartial}},
		"the second knows one": {[][]string{{a, b}, {b}}, "broker-a broker-b", []GapKind{GapPartial}},
		"the first is empty":   {[][]string{{}, {a, b}}, "broker-a broker-b", []GapKind{GapEmpty}},
		"the last is empty":    {[][]string{{a, b}, {}}, "broker-a broker-b", []GapKind{GapEmpty}},
		"the first is down":    {[][]string{nil, {a, b}}, "broker-a broker-b", []GapKind{GapSilent}},
		"all are empty":        {[][]string{{}, {}}, "", nil},
		"a master is down":     {[][]string{{a, "C/broker-b/1=127.0.0.1:3"}}, "broker-a", []GapKind{GapNoMaster}},
		"two addresses": {
			[][]string{{a}, {"C/broker-a/0=127.0.0.1:9"}}, "broker-a", []GapKind{GapConflict},
		},
		"a slave that one knows": {
			[][]string{{a, "C/broker-a/1=127.0.0.1:3"}, {a}}, "broker-a", nil, // nothing depends on it
		},
	} {
		t.Run(name, func(t *testing.T) {
			var at []string
			for _, brokers := range test.say {
				if brokers == nil {
					at = append(at, closedPort(t))
				} else {
					at = append(at, nameServer(t, brokers...))
				}
			}
			c := NewCluster(testClient(t), at)
			r, err := c.Registry(context.Background())
			require.NoError(t, err)
			var kinds []GapKind
			for _, g := range r.Gaps() {
				kinds = append(kinds, g.Kind)
				assert.Contains(t, g.Text, map[bool]string{true: g.NameServer, false: g.Broker}[g.Broker == ""])
			}
			assert.Equal(t, test.gaps, kinds)
			all, err := c.Brokers(context.Background())
			require.NoError(t, err)
			var names []string
			for _, b := range all {
				names = append(names, b.Name)
			}
			assert.Equal(t, test.want, strings.Join(names, " "))
		})
	}
}

// closedPort is an address that nothing listens at.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer l.Close()
	return l.Addr().String()
}

// Of a name server that doesn't answer any more, what it said before counts: brokers serve without
// it.
func TestWhatASilentNameServerSaidStands(t *testing.T) {
	first := nameServer(t, "C/broker-a/0=127.0.0.1:1")
	second := serve(t, func(conn net.Conn, c *remoting.Command) {
		reply(conn, c, remoting.Success, nil, clusterInfo([]string{"C/broker-b/0=127.0.0.1:2"}))
	})
	c := NewCluster(testClient(t), []string{first, second.Addr().String()})
	r, err := c.Registry(context.Background())
	require.NoError(t, err)
	require.Len(t, r.Brokers, 2)
	require.NoError(t, second.Close())
	second.breakAll()
	r, err = c.Registry(context.Background())
	require.NoError(t, err)
	require.Len(t, r.Brokers, 2)
	gaps := r.Gaps()
	require.NotEmpty(t, gaps)
	assert.Equal(t, GapSilent, gaps[0].Kind)

	nobody := NewCluster(testClient(t), []string{closedPort(t), closedPort(t)})
	_, err = nobody.Registry(context.Background())
	require.Error(t, err)
	assert.Negative(t, remoting.CodeOf(err))
	_, err = NewCluster(testClient(t), nil).Registry(context.Background())
	require.ErrorContains(t, err, "no name server is given")
}

// A name server that hangs must not keep a broker's new address from anybody: it is waited for when
// nothing is known yet, and for a moment afterwards. Before, each fresh list waited for it.
func TestAFreshListDoesNotWaitForANameServerThatHangs(t *testing.T) {
	var hangs atomic.Bool
	released := make(chan struct{})
	at := atomic.Pointer[string]{}
	first := "127.0.0.1:1"
	at.Store(&first)
	fast := serve(t, func(conn net.Conn, c *remoting.Command) {
		reply(conn, c, remoting.Success, nil, clusterInfo([]string{"C/broker-a/0=" + *at.Load()}))
	})
	slow := serve(t, func(conn net.Conn, c *remoting.Command) {
		if hangs.Load() {
			<-released
		}
		reply(conn, c, remoting.Success, nil, clusterInfo([]string{"C/broker-b/0=127.0.0.1:2"}))
	})
	t.Cleanup(func() { close(released) })
	c := NewCluster(testClient(t), []string{fast.Addr().String(), slow.Addr().String()})
	brokers, err := c.Brokers(context.Background())
	require.NoError(t, err)
	require.Len(t, brokers, 2)
	hangs.Store(true)
	moved := "127.0.0.1:3"
	at.Store(&moved)
	r, err := c.ask(context.Background(), time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:3", r.Brokers[0].Master())
	require.Len(t, r.Brokers, 2)
	require.Equal(t, GapSilent, r.Gaps()[0].Kind)
	require.Contains(t, r.Gaps()[0].Text, "no answer within 1ms of another one's")
}

// Name servers may know several clusters.
func TestOneOfSeveralClusters(t *testing.T) {
	at := []string{nameServer(t, "A/broker-a/0=127.0.0.1:1", "B/broker-b/0=127.0.0.1:2")}
	all := NewCluster(testClient(t), at)
	r, err := all.Registry(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []string{"A", "B"}, r.Clusters())
	require.NotEmpty(t, r.Gaps())
	assert.Equal(t, GapClusters, r.Gaps()[0].Kind)

	one := NewClusterOf(testClient(t), at, Part{Cluster: "B"})
	brokers, err := one.Brokers(context.Background())
	require.NoError(t, err)
	require.Len(t, brokers, 1)
	assert.Equal(t, "broker-b", brokers[0].Name)
	nodes, err := one.Nodes(context.Background())
	require.NoError(t, err)
	assert.Equal(t, []Node{{Cluster: "B", Name: "broker-b", Addr: "127.0.0.1:2"}}, nodes)
}
