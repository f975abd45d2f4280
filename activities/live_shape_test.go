package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// A group moves from one broker to two and back. The target's topic holds messages of its own,
// which the group doesn't get; what it gets there on either broker, and what it is to try again
// there, reaches it on the source.
func TestLongOneBrokerMovesToTwoBesideMessagesOfTheTarget(t *testing.T) {
	t.Parallel()
	const own, history, later = 5, 20, 2
	r := newRigBetween(
		t,
		labtest.OwnCluster(t, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1}),
		labtest.OwnCluster(t,
			lab.ClusterSpec{Name: "Target", Version: "5.3.3", BrokerNames: []string{"broker-a", "broker-z"}}),
		"wide",
		nil,
	)
	orders, group := r.topic("orders", 3), r.group("billing")
	retry := rocketmq.RetryTopic(group)
	r.create(r.target, "broker-a", orders, 2)
	r.create(r.target, "broker-z", orders, 1)
	r.create(r.source, "broker-a", retry, 1) // by brokers, when members connect
	r.create(r.target, "broker-a", retry, 1)
	r.create(r.target, "broker-z", retry, 1)
	lanes := r.lanes(orders)
	for _, lane := range lanes {
		r.produce(r.target, lane.Target.Broker, orders, lane.Target.ID, own)
	}
	r.fill(orders, history)
	assert.Equal(t, MetadataResult{CreatedGroups: 1}, r.importAll([]string{orders}, []string{group}, nil),
		"the topic is as it should be")
	r.replicate()
	r.must(NewReplication(r.settings), "AwaitDrained",
		TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(orders)}, nil)
	var verified api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)}, &verified)
	assert.True(t, verified.Clean(), "%+v", verified)
	assert.EqualValues(t, []int64{3 * history, 3 * own}, []int64{verified.Compared, verified.Natives})

	traffic, last := NewTraffic(r.settings), lanes[2]
	r.commit(group, orders, lanes[0].Source, 7)
	r.must(traffic, "Fence", r.groups(api.Source, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Source, group), nil)
	r.must(traffic, "Translate", r.groups(api.Source, group), nil)
	r.must(traffic, "Unfence", r.groups(api.Target, group), nil)
	for i, want := range []int64{own + 7, own, own} {
		assert.Equal(t, want, r.position(r.target, group, orders, lanes[i].Target),
			"%s: behind what the target held before", lanes[i])
	}

	r.produce(r.target, last.Target.Broker, orders, last.Target.ID, later)
	r.produce(r.target, last.Target.Broker, retry, 0, later)
	end := func(topic string, queue int) int64 {
		at, err := r.source.Client().MaxOffset(r.ctx, r.addr(r.source, "broker-a"), topic, queue)
		require.NoError(t, err)
		return at
	}
	r.eventually("what was written on the second broker comes back", func() bool {
		return end(orders, last.Source.ID) >= history+later && end(retry, 1) >= later
	})
	assert.EqualValues(t, []int64{history + later, 0, later},
		[]int64{end(orders, last.Source.ID), end(retry, 0), end(retry, 1)})

	read := func(topic string, queue int, at int64) {
		require.NoError(t, r.target.Client().UpdateOffset(r.ctx, r.addr(r.target, "broker-z"), group, topic, queue, at))
	}
	read(orders, last.Target.ID, own+history+1)
	read(retry, 0, 1)
	r.must(traffic, "Fence", r.groups(api.Target, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Target, group), nil)
	r.must(traffic, "Translate", r.groups(api.Target, group), nil)
	for _, at := range []struct {
		topic string
		queue lane.Queue
		want  int64
	}{{orders, lanes[0].Source, 7}, {orders, last.Source, history + 1}, {retry, lane.Queue{Broker: "broker-a", ID: 1}, 1}} {
		assert.Equal(t, at.want, r.position(r.source, group, at.topic, at.queue),
			"%s %s: what it hasn't read is still to come", at.topic, at.queue)
	}
}

// create makes a topic on one broker, as somebody else does.
func (r *rig) create(c *rocketmq.Cluster, broker, topic string, queues int) {
	r.Helper()
	config := rocketmq.TopicConfig{
		Name:        topic,
		ReadQueues:  queues,
		WriteQueues: queues,
		Perm:        6,
		FilterType:  "SINGLE_TAG",
	}
	require.NoError(r, c.Client().CreateTopic(r.ctx, r.addr(c, broker), config))
}
