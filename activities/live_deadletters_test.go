package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

// deadLetters makes the group's dead-letter topic on a broker, as that does with the first one, and
// writes some.
func (r *rig) deadLetters(c *rocketmq.Cluster, broker rocketmq.Broker, group string, n int) {
	r.Helper()
	require.NoError(r, c.Client().CreateTopic(r.ctx, broker.Addr, rocketmq.TopicConfig{
		Name: rocketmq.DLQTopic(group), ReadQueues: 1, WriteQueues: 1,
		Perm: rocketmq.PermRead | rocketmq.PermWrite, FilterType: "SINGLE_TAG",
	}))
	r.produce(c, broker.Name, rocketmq.DLQTopic(group), 0, n)
}

func TestLongDeadLettersAreCopiedWhicheverBrokerHasThemFirst(t *testing.T) {
	r := newRig(t, "dead")
	orders, group := r.topic("orders", 1), r.group("billing")
	r.importAll([]string{orders}, []string{group}, nil)
	topic, brokers := rocketmq.DLQTopic(group), r.brokers(r.source)
	rest := func() (rest int64) {
		var l api.Ledger
		r.must(NewLedgers(r.settings), "Ledger", r.request(), &l)
		for _, row := range l.Rows.First() {
			if row.Kind == ledger.KindDead {
				rest += row.Rest
			}
		}
		return rest
	}
	wantLanes := func(n int) []lane.Lane {
		target := r.brokers(r.target)[0]
		both, err := r.settings.clusters().Both(r.ctx, r.plan)
		require.NoError(t, err)
		l, err := both.Layout(r.ctx)
		require.NoError(t, err)
		lanes, err := l.GroupLanes(topic)
		require.NoError(t, err)
		require.Len(t, lanes, n)
		for _, lane := range lanes {
			assert.Equal(t, target.Name, lane.Target.Broker)
			var verified verify.Report
			r.eventually("the copies of "+lane.String()+" equal their originals", func() bool {
				verified, err = verify.Lane(r.ctx, r.source, r.target, lane,
					verify.Options{Names: clusters.LaneNames(r.plan)}, nil)
				return err == nil && verified.Compared == 3
			})
			assert.Zero(t, verified.Missing+verified.Extra+verified.Altered+verified.OutOfOrder, "%+v", verified)
		}
		return lanes
	}

	r.deadLetters(r.source, brokers[1], group, 3) // the last in client order
	assert.EqualValues(t, 3, rest())
	stop := r.replicate()
	r.eventually("its dead letters are copied", func() bool { return rest() == 0 })
	before := wantLanes(1)
	r.deadLetters(r.source, brokers[0], group, 3)
	assert.EqualValues(t, 3, rest())
	stop()
	r.replicate() // or lanes of new topics start some seconds later
	r.eventually("those of the other broker are copied too", func() bool { return rest() == 0 })
	assert.Equal(t, before[0], wantLanes(2)[1], "a lane stays where it is")
	var verified api.Verification
	r.must(NewVerifier(r.settings), "Verify",
		VerifyRequest{Request: r.request(), Topics: api.Some(orders), Own: true}, &verified)
	assert.True(t, verified.Clean(), "%+v", verified)
	assert.EqualValues(t, 6, verified.Compared)
}
