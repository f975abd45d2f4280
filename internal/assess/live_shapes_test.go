package assess

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// eventuallyTold assesses until a finding says something.
func (s source) eventuallyTold(what string, change func(*plan.Plan), says map[string]string) {
	s.Helper()
	require.EventuallyWithT(s, func(c *assert.CollectT) {
		_, report := s.assessed(change)
		for id, text := range says {
			assert.Contains(c, strings.Join(told(report, id), "\n"), text, id)
		}
	}, time.Minute, time.Second, what)
}

// configured changes lines of a broker's configuration while it runs.
func (s source) configured(broker, lines string) {
	s.Helper()
	got, err := s.client.Call(s.Context(), broker, &remoting.Command{
		Code: remoting.CodeUpdateBrokerConfig, Body: []byte(lines),
	})
	require.NoError(s, err)
	require.Equal(s, remoting.Success, got.Code, got.Remark)
}

// A master dies before its slave has taken a topic over: what is left, and what may be read of it.
func TestLongABrokerOfWhichOnlyASlaveIsLeftIsFound(t *testing.T) {
	c := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", Brokers: 2, Slaves: true})
	s, slave := sourceOn(t, c), c.Slaves[0]
	s.topic("orders")
	require.EventuallyWithT(t, func(l *assert.CollectT) {
		topics, err := s.client.TopicConfigs(t.Context(), slave.Addr)
		assert.NoError(l, err)
		assert.Contains(l, topics, "orders")
	}, time.Minute, 200*time.Millisecond, "the slave takes topics over each 10 s")
	bySlave := func(p *plan.Plan) { p.Source.ReadSlaves = []string{"broker-a"} }
	for _, change := range []func(*plan.Plan){func(*plan.Plan) {}, bySlave} {
		_, report := s.assessed(change)
		for _, id := range []string{"broker-without-master", "slave-mute", "broker-from-slave", "slave-lacks-topic"} {
			assert.Empty(t, told(report, id), "all is well")
		}
	}

	require.NoError(t, c.SuspendBroker(slave.Name)) // it takes nothing over
	s.topic("late")
	require.NoError(t, c.KillBroker("broker-a"))
	require.NoError(t, c.ContinueBroker(slave.Name))
	s.eventuallyTold("only the slave is registered", func(*plan.Plan) {}, map[string]string{
		"broker-without-master": "source broker broker-a",
	})
	s.eventuallyTold("it serves no pulls, as stock slaves don't", bySlave, map[string]string{
		"slave-mute": "its slave " + slave.Addr + " serves no pulls (slaveReadEnable=false)",
	})
	s.configured(slave.Addr, "slaveReadEnable=true\n")
	s.eventuallyTold("it is read", bySlave, map[string]string{
		"broker-from-slave": "source broker broker-a: has no master and is read from its slave " + slave.Addr,
		"slave-lacks-topic": "topic late: the slave of broker broker-a knows 0 of its 1 queues",
	})
}

// A name server that has lost its brokers, and a target whose name server has two clusters.
func TestLongServersThatAreInTheWayAreFound(t *testing.T) {
	s := sourceOn(t, labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7"}))
	s.topic("orders")
	empty := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", BrokerNames: []string{"broker-gone"}})
	target := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "One", Version: "5.3.3", BrokerNames: []string{"broker-one"},
	})
	ports, err := lab.FreePorts(1)
	require.NoError(t, err)
	two := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "Two", Version: "5.3.3", BrokerNames: []string{"broker-two"}, NameServerPort: ports[0],
		Config: map[string]string{"namesrvAddr": fmt.Sprintf("%s;127.0.0.1:%d", target.NameServers[0], ports[0])},
	})
	toOne := func(p *plan.Plan) {
		p.Target = plan.Target{Provider: plan.ProviderExisting, NameServers: target.NameServers, Cluster: "One"}
	}
	ids := []string{"name-server-empty", "target-elsewhere"}
	_, report := s.assessed(toOne)
	for _, id := range ids {
		assert.Empty(t, told(report, id), "all is well")
	}

	require.NoError(t, empty.KillBroker("broker-gone"))
	s.eventuallyTold("the name server misses its broker",
		func(p *plan.Plan) { p.Source.NameServers = append(p.Source.NameServers, empty.NameServers...) },
		map[string]string{"name-server-empty": empty.NameServers[0]})
	require.NoError(t, s.client.CreateTopic(t.Context(), two.Brokers[0].Addr, rocketmq.TopicConfig{
		Name: "orders", ReadQueues: 1, WriteQueues: 1, Perm: 6,
	}))
	s.eventuallyTold("clients of the target see another cluster's queues", toOne, map[string]string{
		"target-elsewhere": "topic orders: clients of the target also see",
	})
}

// Of more topics than are looked into well, the others are looked into shortly.
func TestLongManyTopicsAreSampledLess(t *testing.T) {
	const well = 1000
	s := sourceOn(t, labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7"}))
	filled := func(topic string) {
		s.topic(topic)
		s.send(topic, "x")
	}
	for n := range well {
		filled(fmt.Sprintf("topic-%04d", n))
	}
	_, report := s.assessed(func(*plan.Plan) {})
	assert.Equal(t, well, report.Topics)
	assert.Empty(t, told(report, "topics-sampled-less"))
	filled("one-more")
	_, report = s.assessed(func(*plan.Plan) {})
	assert.Contains(t, strings.Join(told(report, "topics-sampled-less"), "\n"),
		"of 1001 selected topics, the 1000 largest and the ordered ones were looked into well")
}
