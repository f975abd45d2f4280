//go:build !race

package activities

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// TestLongAMigrationToATargetBehindAProxy goes through the stages of a migration whose worker and
// gateway reach nothing of the target but the remoting port of its proxy: a person makes there what
// is named, all else is as with any target, there and back.
func TestLongAMigrationToATargetBehindAProxy(t *testing.T) {
	there := labtest.OwnCluster(t, lab.ClusterSpec{Name: "Managed", Version: "5.3.3", Proxy: true})
	r := newRigBetween(t, labtest.Cluster(t, "4.9.7"), there, "proxied", nil)
	console := r.target
	r.plan.Target = plan.Target{Provider: plan.ProviderExisting, Proxy: there.ProxyRemoting}
	g := r.behindGateway()
	require.NoError(t, r.plan.Validate())
	orders, group, offline := r.topic("orders", 2), r.group("billing"), r.group("offline")
	r.fill(orders, 10)

	var is PurchaseResult
	r.must(NewPurchase(r.settings), "Purchase", r.request(), &is)
	assert.Equal(t, []string{there.ProxyRemoting}, is.NameServers)
	var a api.Assessment
	r.must(NewAssess(r.settings), "Assess", r.request(), &a)
	assert.Zero(t, a.Refusals(), "%v", a.Findings)

	objects := MetadataRequest{Request: r.request(), Topics: api.Some(orders), Groups: api.Some(group, offline)}
	err := ask(t, NewMetadata(r.settings), "Diff", objects, nil)
	require.Equal(t, NotReadyType, typeOf(err))
	require.ErrorContains(t, err,
		"make 4 there by its console or API, and this goes on by itself: topic activities-proxied-orders "+
			"with 4 queues, of type NORMAL; "+
			"topic rocketshift-canary-activities-proxied with 2 queues, of type NORMAL, through which the "+
			"way back is proven; topic %RETRY%activities-proxied-billing with 2 queues, or more; "+
			"topic %RETRY%activities-proxied-offline with 2 queues, or more")
	for _, group := range []string{group, offline} {
		r.create(console, "broker-a", rocketmq.RetryTopic(group), 2)
	}
	r.create(console, "broker-a", orders, 3)
	r.create(console, "broker-a", clusters.CanaryTopic(r.plan), 2)
	var diff api.MetadataDiff
	r.must(NewMetadata(r.settings), "Diff", objects, &diff)
	require.Equal(t, 1, diff.Conflicts.Len())
	assert.Equal(t, "has 3 queues on the target, wanted are 4", diff.Conflicts.First()[0].Cause)
	r.create(console, "broker-a", orders, 4)
	r.eventually("the proxy shows it", func() bool { // it keeps routes for 20 s
		diff = api.MetadataDiff{}
		r.must(NewMetadata(r.settings), "Diff", objects, &diff)
		return diff.Conflicts.Len() == 0
	})
	assert.Equal(t, 3, diff.Same)
	require.Equal(t, 1, diff.Warnings.Len())
	assert.Contains(t, diff.Warnings.First()[0].Cause,
		"are unknown, and not compared: a proxy stands before it")

	for _, lane := range r.lanes(orders) {
		r.commit(offline, orders, lane.Source, 7)
	}
	r.replicate()
	r.background(NewOffsets(r.settings), "Sync", r.request())
	gateways := NewGateways(r.settings)
	r.must(gateways, "Prepare", PrepareRequest{Request: r.request()}, nil)
	r.must(NewReplication(r.settings), "ProveLanes", r.request(), nil)
	behind := *r
	behind.plan.Source.NameServers = []string{g.NameServer()} // as the application is released with
	in := newInbox()
	behind.member(api.Source, group, orders, false, in)
	r.eventually("the member reads", func() bool { return in.count() == 40 })
	r.eventually("positions of a group that nobody runs are on the target", func() bool {
		for _, lane := range r.lanes(orders) {
			if r.position(console, offline, orders, lane.Target) != 7 {
				return false
			}
		}
		return true
	})

	moved := r.groups(api.Target, group)
	r.must(gateways, "MoveGroups", moved, nil)
	in.moved()
	all := HomesRequest{Request: r.request(), Topics: api.Some(orders), Percent: 100}
	var homes Homes
	r.must(gateways, "MoveHomes", all, &homes)
	assert.Equal(t, Homes{Target: 4, Queues: 4}, homes)
	share := ShareRequest{Request: r.request(), Topics: api.Some(orders)}
	soak := SoakRequest{Request: r.request(), Topics: api.Some(orders), Step: 100}
	var before, check, judged api.WaveCheck
	r.must(gateways, "MeasureShare", share, &before)
	r.must(gateways, "BeginSoak", soak, nil)
	r.must(gateways, "JudgeSoak", soak, &judged)
	assert.Contains(t, judged.Doubt, "no message was written to the 4 queues (of 4)")
	through := rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), behind.plan.Source.NameServers)
	t.Cleanup(through.Client().Close)
	for _, lane := range r.lanes(orders) {
		r.produce(through, lane.Source.Broker, orders, lane.Source.ID, 5)
	}
	share.Before = &before
	r.must(gateways, "MeasureShare", share, &check)
	assert.InDelta(t, 100, check.Share, 0)
	judged = api.WaveCheck{}
	r.must(gateways, "JudgeSoak", soak, &judged)
	assert.Empty(t, judged.Doubt)
	assert.EqualValues(t, 20, judged.TargetPuts)
	assert.InDelta(t, 100, judged.Share, 0)
	r.eventually("what is stored behind the proxy is read", func() bool { return in.count() == 60 })

	r.must(gateways, "MoveAuthority", moved, nil)
	var verified api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)}, &verified)
	assert.True(t, verified.Clean(), "%+v", verified)
	var rest api.Ledger
	r.must(NewLedgers(r.settings), "Ledger", r.request(), &rest)
	for _, row := range rest.Rows.First() { // clients are there, and what brokers deliver later is of all their topics
		others := slices.Contains(
			[]string{ledger.KindConsumers, ledger.KindProducers, ledger.KindDelayed, ledger.KindHalf}, row.Kind,
		)
		assert.True(t, others || row.Rest == 0, "%+v", row)
	}

	moved.Side, all.Percent = api.Source, 0
	r.must(gateways, "MoveAuthority", moved, nil)
	r.must(gateways, "MoveHomes", all, nil)
	r.must(gateways, "MoveGroups", moved, nil)
	in.moved()
	r.eventually("nothing is to come from the target", func() bool { // lanes tell a moment later what they have copied
		rest = api.Ledger{}
		r.must(NewLedgers(r.settings), "Pending", r.request(), &rest)
		return rest.Rest == 0
	})
	for _, lane := range r.lanes(orders) {
		r.produce(through, lane.Source.Broker, orders, lane.Source.ID, 1)
	}
	r.eventually("it reads on the source again", func() bool { return in.count() == 64 })
	assert.Empty(t, in.repeated())
}
