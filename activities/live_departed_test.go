package activities

import (
	"net/netip"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/shards"
	"rocketshift/replicator/lane"
)

// straggling is what the lanes of all brokers say of stragglers.
func (r *rig) straggling() (there, back []lane.Straggler) {
	for _, p := range r.settings.Observed.All() {
		there = append(there, p.Stragglers...)
		if p.Back != nil {
			back = append(back, p.Back.Stragglers...)
		}
	}
	return there, back
}

// wantStraggler waits until the one straggler of a side has written so many messages.
func (r *rig) wantStraggler(at lane.Queue, messages int64, of func() []lane.Straggler) {
	r.Helper()
	var got lane.Straggler
	r.eventually("the lanes name the sender", func() bool {
		all := of()
		if len(all) == 1 {
			got = all[0]
		}
		return len(all) == 1 && got.Messages >= messages
	})
	sender, err := netip.ParseAddrPort(got.Sender)
	require.NoError(r, err)
	assert.True(r, sender.Addr().Unmap().IsLoopback(), "%s", got)
	assert.Equal(r, at, lane.Queue{Broker: got.Broker, ID: got.Queue}, "%s", got)
	assert.Equal(r, messages, got.Messages)
	assert.Positive(r, got.PerSecond)
}

func TestLongWhoWritesOnTheSideThatProducersLeftIsNamed(t *testing.T) {
	r := newRig(t, "left")
	r.settings.Observed = &shards.Observed{}
	orders, _ := r.copied("orders", "billing", 5)
	traffic, l := NewTraffic(r.settings), r.lanes(orders)[1]
	move := func(from api.Side) AwaitMoveRequest {
		return AwaitMoveRequest{Request: r.request(), From: from, Topics: api.Some(orders)}
	}
	r.must(traffic, "AwaitQuiet", move(api.Source), nil)
	var survey Survey
	r.must(NewReturns(r.settings), "Survey", r.request(), &survey)
	assert.Equal(t, []string{orders}, survey.MovedTopics.First(), "its producers moved, and wrote nothing yet")

	r.produce(r.target, l.Target.Broker, orders, l.Target.ID, 4)
	r.produce(r.source, l.Source.Broker, orders, l.Source.ID, 3)
	r.wantStraggler(l.Source, 3, func() []lane.Straggler { there, _ := r.straggling(); return there })
	r.must(NewReplication(r.settings), "AwaitDrained",
		TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(orders)}, nil)
	var found api.Ledger
	r.must(NewLedgers(r.settings), "Ledger", r.request(), &found)
	assert.Equal(
		t,
		[]api.LedgerRow{
			{Kind: ledger.KindStraggler, Object: "topic " + orders, Rest: 3, Detail: "[" + l.Source.String() + " 3]"},
		},
		found.Stragglers.First(),
	)
	var verification api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)},
		&verification)
	assert.True(t, verification.Clean(), "%+v", verification)

	r.must(traffic, "AwaitQuiet", move(api.Target), nil) // the way back
	r.produce(r.source, l.Source.Broker, orders, l.Source.ID, 5)
	r.produce(r.target, l.Target.Broker, orders, l.Target.ID, 2)
	r.wantStraggler(l.Target, 2, func() []lane.Straggler { _, back := r.straggling(); return back })
	there, _ := r.straggling()
	require.Len(t, there, 1)
	assert.EqualValues(t, 3, there[0].Messages, "who writes on the source is at home again")
	var after api.Ledger
	r.must(NewLedgers(r.settings), "Ledger", r.request(), &after)
	assert.Zero(t, after.Stragglers.Len())
}
