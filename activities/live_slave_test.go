package activities

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// A broker's master is down. What its slave has is copied and compared, if the plan says so, and
// all who count say what they looked at; nothing moves before the master is there.
func TestLiveASlaveIsReadWhereThePlanSaysSo(t *testing.T) {
	t.Parallel()
	own := labtest.OwnCluster(t, lab.ClusterSpec{
		Name: "WithSlaves", Version: "4.9.7", Brokers: 2, Slaves: true,
		Config: map[string]string{"slaveReadEnable": "true"},
	})
	r := newRigBetween(t, own, labtest.Cluster(t, "5.3.3"), "slaves", nil)
	orders, group := r.topic("orders", 2), r.group("billing")
	r.fill(orders, 25)
	lost, slave := own.Brokers[1], own.Slaves[1]
	r.eventually("the slave has everything", func() bool {
		for queue := range 2 {
			at, err := r.source.Client().MaxOffset(r.ctx, slave.Addr, orders, queue)
			if err != nil || at != 25 {
				return false
			}
		}
		groups, err := r.source.Client().Groups(r.ctx, slave.Addr)
		return err == nil && groups[group].Name == group
	})
	require.NoError(t, own.KillBroker(lost.Name))
	r.source.Forget()
	r.eventually("the name server misses the master", func() bool {
		nodes, err := r.source.Client().Nodes(r.ctx, own.NameServers[0])
		return err == nil && len(nodes) == 3
	})
	assess := func() (mine api.Finding) {
		t.Helper()
		var a api.Assessment
		r.must(NewAssess(r.settings), "Assess", r.request(), &a)
		for _, f := range a.Findings {
			if f.Object == "source broker "+lost.Name {
				mine = f
			}
		}
		return mine
	}
	found := assess()
	assert.True(t, found.Refusal, "%v", found)
	assert.Equal(t, "broker-without-master", found.ID)
	assert.Contains(t, found.Next, "or name it in source.readSlaves")

	r.plan.Source.ReadSlaves = []string{lost.Name}
	found = assess()
	assert.False(t, found.Refusal, "%v", found)
	assert.Equal(t, "broker-from-slave", found.ID)
	assert.Contains(t, found.Cause, "is read from its slave "+slave.Addr)
	r.importAll([]string{orders}, []string{group}, nil)
	for _, b := range own.Brokers {
		r.background(NewReplication(r.settings), "Replicate", ReplicateRequest{Request: r.request(), Broker: b.Name})
	}
	topics := TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(orders)}
	r.must(NewReplication(r.settings), "AwaitDrained", topics, nil)
	verify := func() (v api.Verification) {
		t.Helper()
		r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)}, &v)
		assert.True(t, v.Clean(), "%+v", v)
		return v
	}
	v := verify()
	assert.EqualValues(t, 100, v.Compared)
	assert.Equal(t, []string{lost.Name + " (slave " + slave.Addr + ")"}, v.FromSlaves)
	rest := func() int64 {
		var l api.Ledger
		r.must(NewLedgers(r.settings), "Ledger", r.request(), &l)
		for _, row := range l.Rows.First() {
			if row.Kind == ledger.KindSlave && row.Object == "broker "+lost.Name {
				return row.Rest
			}
		}
		return 0
	}
	assert.EqualValues(t, 1, rest(), "what the master had besides isn't known")

	traffic := NewTraffic(r.settings)
	for activity, request := range map[string]any{
		"ClosedByOthers": r.groups(api.Source, group), "Fence": r.groups(api.Source, group), "CloseTopics": topics,
	} {
		err := ask(t, traffic, activity, request, nil)
		assert.Equal(t, NotReadyType, typeOf(err), "%s: %v", activity, err)
		assert.ErrorContains(t, err, lost.Name+" has no master and is read from its slave: nothing moves", activity)
	}
	require.NoError(t, own.StartBroker(r.ctx, lost.Name))
	r.must(traffic, "ClosedByOthers", r.groups(api.Source, group), nil)
	r.fill(orders, 5)
	r.must(NewReplication(r.settings), "AwaitDrained", topics, nil)
	v = verify()
	assert.EqualValues(t, 120, v.Compared)
	assert.Empty(t, v.FromSlaves)
	assert.Zero(t, rest())
}
