package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq/remoting"
)

// updateBrokerConfig is UPDATE_BROKER_CONFIG (RequestCode, 4.5.2 to 5.3.3).
const updateBrokerConfig = 25

// A broker's master is down, and its slave serves: nothing is copied without a word about it, and
// what the slave has is, if somebody says so.
func TestLiveASlaveIsCopiedWhereThatIsAskedFor(t *testing.T) {
	t.Parallel()
	own := labtest.OwnCluster(t, lab.ClusterSpec{Name: "CopySlave", Version: "4.9.7", Brokers: 2, Slaves: true})
	r := newRigBetween(t, "copy-slave", 2, own, labtest.Cluster(t, "5.3.3"))
	r.fill(own, 2, 50, "before")
	lost, slave := own.Brokers[1], own.Slaves[1]
	require.Eventually(t, func() bool {
		for queue := range 2 {
			if at, err := r.client.MaxOffset(r.ctx, slave.Addr, r.topic, queue); err != nil || at != 50 {
				return false
			}
		}
		topics, err := r.client.TopicConfigs(r.ctx, slave.Addr) // which it takes over every ten seconds
		return err == nil && topics[r.topic].ReadQueues == 2
	}, guard, 50*time.Millisecond, "the slave has everything")
	require.NoError(t, own.KillBroker(lost.Name))

	refused := func(wants string, args ...string) {
		t.Helper()
		o := r.copy(append(args, "--create-topics")...)
		require.NotEqual(t, failure.Done, o.code, o.stdout)
		assert.Contains(t, o.stderr, wants)
		_, err := r.client.TopicStats(r.ctx, r.target.Brokers[0].Addr, r.topic)
		assert.Equal(t, remoting.TopicNotExist, remoting.CodeOf(err), "nothing was made: %v", err)
	}
	require.Eventually(t, func() bool {
		nodes, err := r.client.Nodes(r.ctx, own.NameServers[0])
		return err == nil && len(nodes) == 3
	}, guard, 50*time.Millisecond, "the name server misses the master")
	refused("copy what its slave has (--read-slave " + lost.Name + ")")
	refused("mqadmin updateBrokerConfig -b "+slave.Addr+" -k slaveReadEnable -v true", "--read-slave", lost.Name)

	got, err := r.client.Call(r.ctx, slave.Addr, &remoting.Command{
		Code: updateBrokerConfig, Body: []byte("slaveReadEnable=true\n"),
	})
	require.NoError(t, err)
	require.Equal(t, remoting.Success, got.Code, got.Remark)
	o := r.copy("--create-topics", "--read-slave", lost.Name)
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "created topic starter-copy-slave on the target with 4 queues")
	assert.Contains(t, o.stdout, "Copied     200 messages in 4 lanes")
	assert.Contains(t, o.stdout, lost.Name+" read from a slave: what the master had besides isn't known")
	assert.EqualValues(t, 200, r.stored(r.target))

	require.NoError(t, own.StartBroker(r.ctx, lost.Name))
	r.fill(own, 2, 10, "after")
	o = r.copy("--read-slave", lost.Name, "-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
	docs := documents(t, o.stdout)
	verdict := docs[len(docs)-1]
	assert.EqualValues(t, 40, verdict["copied"], "nothing is repeated")
	assert.EqualValues(t, 240, verdict["compared"])
	assert.NotContains(t, verdict, "fromSlaves", "the master is there, and read")
}
