package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// Two clusters with topics, groups and brokers of the same names move into one, under names that
// tell them apart, beside a topic there that has the name which they have at home.
func TestLongSeveralSourcesMoveIntoOneTargetUnderOtherNames(t *testing.T) {
	t.Parallel()
	first := newRigFrom(t, labtest.Cluster(t, "4.9.7"), "rename", &plan.Rename{Prefix: "eu-"})
	small := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Source", Version: "4.9.7", Brokers: 1})
	second := newRigFrom(t, small, "rename", &plan.Rename{
		Prefix: "us-", Topics: map[string]string{"activities-rename-orders": "activities-orders-of-the-us"},
		Groups: map[string]string{"activities-rename-billing": "activities-billing-of-the-us"},
	})
	second.plan.Name = "activities-rename-us" // the lanes' groups are told apart by it
	own := rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), first.plan.Target.NameServers)
	t.Cleanup(own.Client().Close)
	broker := first.brokers(own)[0]
	require.NoError(
		t,
		own.Client().
			CreateTopic(t.Context(), broker.Addr, rocketmq.TopicConfig{Name: "activities-rename-orders", ReadQueues: 1, WriteQueues: 1, Perm: 6}),
	)
	first.produce(own, broker.Name, "activities-rename-orders", 0, 3)

	for _, m := range []struct {
		*rig
		topic, group  string // on the target
		queues, count int
	}{{first, "eu-activities-rename-orders", "eu-activities-rename-billing", 4, 20}, {second, "activities-orders-of-the-us", "activities-billing-of-the-us", 2, 30}} {
		orders, group := m.copied("orders", "billing", m.count)
		require.Equal(t, []string{"activities-rename-orders", "activities-rename-billing"}, []string{orders, group})
		var verified api.Verification
		m.must(NewVerifier(m.settings), "Verify", VerifyRequest{Request: m.request(), Topics: api.Some(orders)},
			&verified)
		assert.True(t, verified.Clean(), "%+v", verified)
		assert.EqualValues(t, m.queues*m.count, verified.Compared)

		lanes, traffic := m.lanes(orders), NewTraffic(m.settings)
		m.commit(group, orders, lanes[0].Source, 7)
		m.must(traffic, "Fence", m.groups(api.Source, group), nil)
		m.must(traffic, "AwaitSettled", m.groups(api.Source, group), nil)
		m.must(traffic, "Translate", m.groups(api.Source, group), nil)
		m.must(traffic, "Unfence", m.groups(api.Target, group), nil)
		stats, err := own.Client().TopicStats(t.Context(), broker.Addr, m.topic)
		require.NoError(t, err)
		require.Len(t, stats, m.queues)
		for queue, span := range stats {
			assert.EqualValues(t, m.count, span.Max, "%s queue %d", m.topic, queue)
		}
		assert.EqualValues(t, 7, m.position(own, m.group, m.topic, lanes[0].Target))

		m.produce(own, broker.Name, m.topic, lanes[0].Target.ID, 2)
		m.eventually("what is written there under the other name comes back", func() bool {
			end, err := m.source.Client().
				MaxOffset(t.Context(), m.addr(m.source, lanes[0].Source.Broker), orders, lanes[0].Source.ID)
			return err == nil && end == int64(m.count)+2
		})
	}
	stats, err := own.Client().TopicStats(t.Context(), broker.Addr, "activities-rename-orders")
	require.NoError(t, err)
	assert.EqualValues(t, 3, stats[0].Max, "the target's own topic of that name is left alone")
}
