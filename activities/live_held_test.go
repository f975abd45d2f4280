package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// What is written on the source while everything goes back is copied to the target, and comes back
// from there to nobody; and other applications use the same target.
func TestLiveOnlyWhatApplicationsWroteOnTheTargetIsStillToCome(t *testing.T) {
	t.Parallel()
	r := newRig(t, "held")
	orders, others := r.topic("orders", 1), "others-of-activities-held"
	r.fill(orders, 5)
	r.importAll([]string{orders}, nil, nil)
	stop := r.replicate()
	drained := TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(orders)}
	r.must(NewReplication(r.settings), "AwaitDrained", drained, nil)
	pending := func(kind, object string) (found api.LedgerRow) {
		var l api.Ledger
		r.must(NewLedgers(r.settings), "Pending", r.request(), &l)
		for _, row := range l.Rows.First() {
			if row.Kind == kind && row.Object == object {
				found = row
			}
		}
		return found
	}
	r.eventually("nothing is to come", func() bool { return pending(ledger.KindLag, "topic "+orders).Rest == 0 })
	stop()

	lane := r.lanes(orders)[0]
	broker := lane.Target.Broker
	r.produce(r.target, broker, orders, lane.Target.ID, 2)
	r.fill(orders, 3)
	forward := r.request()
	forward.Plan.Replicate.OneWay = true
	for _, b := range r.brokers(r.source) {
		r.background(NewReplication(r.settings), "Replicate", ReplicateRequest{Request: forward, Broker: b.Name})
	}
	r.must(NewReplication(r.settings), "AwaitDrained", drained, nil)
	row := pending(ledger.KindLag, "topic "+orders)
	assert.EqualValues(t, 2, row.Rest, "%+v", row)
	assert.NotContains(t, row.Detail, "; 0 copies")

	later := remoting.Property{Name: remoting.PropDelay, Value: "18"} // two hours
	require.NoError(t, r.target.Client().CreateTopic(r.ctx, r.addr(r.target, broker), rocketmq.TopicConfig{
		Name: others, ReadQueues: 1, WriteQueues: 1, Perm: 6, FilterType: "SINGLE_TAG",
	}))
	r.produce(r.target, broker, others, 0, 3, later)
	r.produce(r.target, broker, orders, lane.Target.ID, 2, later)
	held := "broker " + broker + " level 18"
	r.eventually("delayed messages are there", func() bool { return pending(ledger.KindDelayed, held).Rest > 0 })
	row = pending(ledger.KindDelayed, held)
	assert.EqualValues(t, 2, row.Rest, "those of others come to nobody: %+v", row)
	assert.Contains(t, row.Detail, "of this migration's topics")
}
