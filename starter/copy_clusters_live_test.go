package main

import (
	"io"
	"net"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/copyjob"
	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Brokers behind NAT, or in Kubernetes, advertise addresses that don't lead to them from
// everywhere.
func TestLiveServersAreReachedWhereThePlanSaysNotWhereTheyAdvertise(t *testing.T) {
	r := newRig(t, "copy-reached", 1)
	r.fill(r.source, 1, 10, "original")
	var flags []string
	var passed []*atomic.Int64
	for side, cluster := range map[string]*lab.Cluster{"source": r.source, "target": r.target} {
		for _, b := range cluster.Brokers {
			at, connections := forwarded(t, b.Addr)
			flags, passed = append(flags, "--"+side+"-address", b.Addr+"="+at), append(passed, connections)
		}
	}
	o := r.copy(append(flags, "--create-topics")...)
	require.Equal(t, failure.Done, o.code, o.stderr)
	for _, connections := range passed {
		assert.Positive(t, connections.Load())
	}
}

// forwarded passes connections on to an address, and counts them.
func forwarded(t *testing.T, to string) (at string, connections *atomic.Int64) {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	connections = &atomic.Int64{}
	go func() {
		for {
			from, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Add(1)
			there, err := (&net.Dialer{}).Dial("tcp", to)
			if err != nil {
				_ = from.Close()
				continue
			}
			go func() { _, _ = io.Copy(there, from); _ = there.Close() }()
			go func() { _, _ = io.Copy(from, there); _ = from.Close() }()
		}
	}()
	return listener.Addr().String(), connections
}

// Brokers that create no groups by themselves refused the look for earlier copies, and that was
// taken for "there are none": everything was copied once more, and called clean.
func TestLiveOtherIDsAreRefusedWhereBrokersCreateNoGroups(t *testing.T) {
	t.Parallel()
	strict := func(version string) *lab.Cluster {
		return labtest.OwnCluster(t,
			lab.ClusterSpec{Version: version, Config: map[string]string{"autoCreateSubscriptionGroup": "false"}})
	}
	r := newRigBetween(t, "copy-strict", 1, strict("4.9.7"), strict("5.3.3"))
	r.fill(r.source, 1, 10, "original")
	require.Equal(t, failure.Done, r.copy("--create-topics").code)
	o := r.copy("--source-id", "other")
	assert.Equal(t, failure.BadUsage, o.code, o.stdout)
	assert.Contains(t, o.stderr, "holds copies that were made under the source's id ")
	assert.EqualValues(t, 10, r.stored(r.target))
}

func TestLiveHalfAClusterIsNotCopied(t *testing.T) {
	r := newRig(t, "copy-half", 1)
	r.fill(r.source, 1, 10, "original")
	other := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", BrokerNames: []string{"broker-alone"}})
	o := r.copy("--create-topics", "--source", other.NameServers[0])
	assert.NotEqual(t, failure.Done, o.code, o.stdout)
	assert.Contains(t, o.stderr,
		"the name servers know several clusters: DefaultCluster, Source; say which one is meant: --source-cluster")
	o = r.copy("--create-topics", "--source", other.NameServers[0], "--source-cluster", "Source")
	assert.NotEqual(t, failure.Done, o.code, o.stdout)
	assert.Contains(t, o.stderr, "isn't seen whole")
	assert.Contains(t, o.stderr, "--leave-out")
	for _, b := range r.source.Brokers {
		assert.Contains(t, o.stderr, "broker "+b.Name+" is known to", "all that isn't seen is told at once")
	}
	_, err := r.client.TopicStats(r.ctx, r.target.Brokers[0].Addr, r.topic)
	assert.Equal(t, remoting.TopicNotExist, remoting.CodeOf(err), "nothing was made: %v", err)
}

// A copy of a part of a cluster makes a topic with a part of the queues. A copy of all of it knows
// what was made so, and how to mend it.
func TestLiveWhatACopyOfAPartLeftIsRecognised(t *testing.T) {
	r := newRig(t, "copy-part", 2)
	r.fill(r.source, 2, 10, "original")
	first, last := r.source.Brokers[0].Name, r.source.Brokers[1].Name
	target := r.target.Brokers[0]
	four := rocketmq.TopicConfig{Name: r.topic, ReadQueues: 4, WriteQueues: 4, Perm: 6}
	refused := func(wants ...string) {
		t.Helper()
		o := r.copy("--create-topics")
		require.Equal(t, failure.BadUsage, o.code, o.stdout)
		for _, want := range wants {
			assert.Contains(t, o.stderr, want)
		}
	}
	require.Equal(t, failure.Done, r.copy("--create-topics", "--leave-out", last).code)
	refused("topic "+r.topic+": the source has 4 queues",
		"which hold copies, and none of source broker "+last+": they were made by a run that didn't see it",
		"its copies stay where they belong, and the rest is copied: mqadmin updateTopic "+
			"-n '"+r.target.NameServers[0]+"' -b "+target.Addr+" -t '"+r.topic+"' -r 4 -w 4 -p 6")
	require.NoError(t, r.client.CreateTopic(r.ctx, target.Addr, four))
	o := r.copy()
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Copied     20 messages")
	assert.Contains(t, o.stdout, "Compared   40 copies: 0 missing, 0 extra")

	r.topic += "-last"
	r.create(r.source, r.topic, 2)
	r.fill(r.source, 2, 10, "original")
	four.Name = r.topic
	require.Equal(t, failure.Done, r.copy("--create-topics", "--leave-out", first).code)
	anew := "mqadmin deleteTopic -n '" + r.target.NameServers[0] + "' -c "
	refused("none of source broker "+first,
		"copies of source queue "+last+"/0 lie in target queue "+target.Name+"/0, which is another lane's by now",
		anew)
	require.NoError(t, r.client.CreateTopic(r.ctx, target.Addr, four)) // what seems to be missing
	refused("copies of source queue "+last+"/0 lie in target queue "+target.Name+"/0, which is another lane's by now",
		anew)

	require.NoError(t, r.client.DeleteTopic(r.ctx, target.Addr, r.topic))
	group := "rocketshift-copy-" + copyjob.NameOf(plan.ClusterID(r.source.NameServers),
		plan.ClusterID(r.target.NameServers))
	for _, b := range r.source.Brokers { // as mqadmin resetOffsetByTime does
		for queue := range 2 {
			require.NoError(t, r.client.UpdateOffset(r.ctx, b.Addr, group, r.topic, queue, 0))
		}
	}
	o = r.copy("--create-topics")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Compared   40 copies: 0 missing, 0 extra")
}

// What a copy of one of two clusters didn't look at stands beside its verdict.
func TestLiveACopyOfOneClusterOfTwoSaysWhatItHasNotSeen(t *testing.T) {
	t.Parallel()
	one := labtest.OwnCluster(t, lab.ClusterSpec{Name: "One", Version: "4.9.7", BrokerNames: []string{"broker-a"}})
	r := newRigBetween(t, "copy-twice", 2, one, labtest.Cluster(t, "5.3.3"))
	labtest.Register(t, one.NameServers[0], "Two", "broker-b", r.topic, 3)
	r.fill(one, 2, 5, "original")
	r.until("the name server shows both", func() bool {
		route, err := r.client.RouteOf(r.ctx, one.NameServers[0], r.topic)
		return err == nil && len(route.Queues) == 2
	})
	o := r.copy("--create-topics", "--source-cluster", "One")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Not seen   topic "+r.topic+
		": clients of the source also see 3 queues on broker broker-b of cluster Two, which isn't copied")
	o = r.copy("--source-cluster", "One", "--leave-out", "broker-b")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Not seen   source broker broker-b is left out: what it holds isn't copied")
	assert.NotContains(t, o.stdout, "also see")
}
