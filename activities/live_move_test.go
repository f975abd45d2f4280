package activities

import (
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/ledger"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

func TestLiveCopyIsMeasuredAndVerified(t *testing.T) {
	r := newRig(t, "copy")
	orders, _ := r.copied("orders", "billing", 50)
	var state measure.Summary
	r.must(NewReplication(r.settings), "AwaitCaughtUp", r.request(), &state)
	assert.Equal(t, 4, state.Lanes)
	r.must(NewReplication(r.settings), "State", r.request(), &state)
	assert.Zero(t, state.Lag)

	var verification api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)},
		&verification)
	assert.True(t, verification.Clean(), "%+v", verification)
	assert.EqualValues(t, 200, verification.Compared)
	assert.Equal(t, 4, verification.Lanes)
}

func TestLivePositionsAreKeptUntilTheGroupIsFencedAndThenMoved(t *testing.T) {
	r := newRig(t, "move")
	orders, group := r.copied("orders", "billing", 50)
	traffic, lanes := NewTraffic(r.settings), r.lanes(orders)
	// The group has read 30 of one queue and 10 of another; the others it has never committed.
	r.commit(group, orders, lanes[0].Source, 30)
	r.commit(group, orders, lanes[3].Source, 10)
	stopSync := r.background(NewOffsets(r.settings), "Sync", r.request())
	onTarget := func() []int64 {
		var all []int64
		for _, lane := range lanes {
			all = append(all, r.position(r.target, group, orders, lane.Target))
		}
		return all
	}
	r.eventually("Sync writes a position for each lane", func() bool {
		return assert.ObjectsAreEqual([]int64{30, 0, 0, 10}, onTarget())
	})
	r.must(traffic, "Fence", r.groups(api.Source, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Source, group), nil)
	r.commit(group, orders, lanes[0].Source, 40) // Sync doesn't touch a closed group
	var written []consumers.Positions
	r.must(traffic, "Translate", r.groups(api.Source, group), &written)
	assert.Equal(t, []consumers.Positions{{Group: group, Queues: 4, Exact: 4}}, written)
	assert.Equal(t, []int64{40, 0, 0, 10}, onTarget())
	require.Error(t, stopSync(), "a cancelled Sync ends as cancelled")

	var moved []string
	r.must(traffic, "Moved", r.groups(api.Source, group), &moved)
	assert.Empty(t, moved, "still closed on the target")
	r.must(traffic, "Unfence", r.groups(api.Target, group), nil)
	r.must(traffic, "Moved", r.groups(api.Source, group), &moved)
	assert.Equal(t, []string{group}, moved)

	r.background(NewOffsets(r.settings), "Sync", r.request())
	first := lanes[0].Target
	require.NoError(t,
		r.target.Client().UpdateOffset(t.Context(), r.addr(r.target, first.Broker), group, orders, first.ID, 47))
	r.eventually("Sync keeps the positions on the source of a group that has moved", func() bool {
		return r.position(r.source, group, orders, lanes[0].Source) == 47
	})
}

func TestLiveGroupsGoBackToExactlyTheNextMessage(t *testing.T) {
	r := newRig(t, "back")
	orders, group := r.copied("orders", "billing", 50)
	traffic, returns, lanes := NewTraffic(r.settings), NewReturns(r.settings), r.lanes(orders)
	r.commit(group, orders, lanes[0].Source, 40)
	r.commit(group, orders, lanes[3].Source, 10)
	r.must(traffic, "Fence", r.groups(api.Source, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Source, group), nil)
	r.must(traffic, "Translate", r.groups(api.Source, group), nil)
	r.must(traffic, "Unfence", r.groups(api.Target, group), nil)
	first := lanes[0].Target
	r.produce(r.target, first.Broker, orders, first.ID, 7)

	var wave api.WaveCheck
	stop := r.keepProducing(r.target, lanes[1].Target, orders)
	r.must(traffic, "CheckWave",
		WaveRequest{Request: r.request(), Wave: Wave{Step: 100, Topics: api.Some(orders), Groups: api.Some(group)}},
		&wave)
	stop()
	assert.Greater(t, wave.TargetPuts, int64(7))
	assert.Zero(t, wave.SourcePuts+wave.Lag,
		"what the reverse lanes copy back is neither the producers' nor to be copied")
	var survey Survey
	r.must(returns, "Survey", r.request(), &survey)
	assert.Equal(t, Survey{FencedGroups: api.Some(group), MovedTopics: api.Some(orders)}, survey)

	err := ask(t, returns, "AwaitReturnable", ReturnRequest{GroupsRequest: r.groups(api.Target, group)}, nil)
	assert.Equal(t, NotReadyType, typeOf(err))
	assert.ErrorContains(t, err, "is at 40", "of an ordered topic, what was written there is read there")
	free := ReturnRequest{GroupsRequest: r.groups(api.Target, group), Free: api.Some(orders)}
	r.must(returns, "AwaitReturnable", free, nil)
	require.NoError(t,
		r.target.Client().UpdateOffset(t.Context(), r.addr(r.target, first.Broker), group, orders, first.ID, 54))
	r.must(returns, "AwaitReturnable", free, nil)
	r.must(traffic, "Fence", r.groups(api.Target, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Target, group), nil)
	r.must(traffic, "Translate", r.groups(api.Target, group), nil)
	assert.EqualValues(t, 54, r.position(r.source, group, orders, lanes[0].Source),
		"behind the copies of the four that it read on the target")
	assert.EqualValues(t, 10, r.position(r.source, group, orders, lanes[3].Source),
		"what it didn't read on the target stays unread")
}

func TestLongOneWayAWayBackWaitsForWhatWasWrittenOnTheTarget(t *testing.T) {
	r := newRig(t, "oneway")
	r.plan.Replicate.OneWay = true
	orders, group := r.copied("orders", "billing", 10)
	traffic, returns, lanes := NewTraffic(r.settings), NewReturns(r.settings), r.lanes(orders)
	r.commit(group, orders, lanes[0].Source, 4)
	r.must(traffic, "Fence", r.groups(api.Source, group), nil)
	r.must(traffic, "AwaitSettled", r.groups(api.Source, group), nil)
	r.must(traffic, "Translate", r.groups(api.Source, group), nil)
	first := lanes[0].Target
	r.produce(r.target, first.Broker, orders, first.ID, 7)
	free := ReturnRequest{GroupsRequest: r.groups(api.Target, group), Free: api.Some(orders)}
	err := ask(t, returns, "AwaitReturnable", free, nil)
	assert.ErrorContains(t, err, "is at 4", "nothing is on the source of what was written here")
	require.NoError(t,
		r.target.Client().UpdateOffset(t.Context(), r.addr(r.target, first.Broker), group, orders, first.ID, 17))
	r.must(returns, "AwaitReturnable", free, nil)
	r.must(traffic, "Translate", r.groups(api.Target, group), nil)
	assert.EqualValues(t, 10, r.position(r.source, group, orders, lanes[0].Source),
		"behind everything that it read as copies")
}

func TestLongStragglersOnTheSourceKeepAWaveOpen(t *testing.T) {
	r := newRig(t, "stray")
	orders := r.topic("orders", 1)
	r.importAll([]string{orders}, nil, nil)
	r.replicate()
	broker := r.brokers(r.source)[0].Name
	stop := r.keepProducing(r.source, lane.Queue{Broker: broker}, orders)
	traffic := NewTraffic(r.settings)
	r.plan.Shift.Settle = plan.Duration(time.Hour) // a producer that stalls for a moment isn't quiet
	move := AwaitMoveRequest{Request: r.request(), From: api.Source, Topics: api.Some(orders)}
	writes := regexp.MustCompile(regexp.QuoteMeta(orders) + ` \([1-9][0-9]*/s`)
	var beat any
	r.eventually("the topic is named, and how much is written", func() bool {
		err := askAgain(t, traffic, "AwaitQuiet", move, nil, &beat)
		require.Equal(t, NotReadyType, typeOf(err), "%v", err)
		return writes.MatchString(err.Error())
	})
	stop()
	r.plan.Shift.Settle = plan.Duration(time.Second)
	move.Request = r.request()
	r.must(traffic, "AwaitQuiet", move, nil)
	var wave api.WaveCheck
	r.must(traffic, "CheckWave",
		WaveRequest{Request: r.request(), Wave: Wave{Step: 100, Topics: api.Some(orders)}}, &wave)
	assert.Zero(t, wave.Lag+wave.TargetPuts)
}

func TestLiveLanesGoOnAtOnceWhenTheirWorkerStops(t *testing.T) {
	r := newRig(t, "stop")
	orders := r.topic("orders", 1)
	r.importAll([]string{orders}, nil, nil)
	broker := r.brokers(r.source)[0].Name
	drained := func() bool {
		var l api.Ledger
		r.must(NewLedgers(r.settings), "Ledger", r.request(), &l)
		for _, row := range l.Rows.First() {
			if row.Kind == ledger.KindLag && row.Rest > 0 {
				return false
			}
		}
		return true
	}
	// Others can take the lane's lock as soon as its worker has stopped: brokers keep one that
	// isn't given back for a minute.
	requireGivenBack := func() {
		lane := r.lanes(orders)[0]
		held := []rocketmq.MessageQueue{{Topic: orders, Broker: lane.Target.Broker, Queue: lane.Target.ID}}
		at, group := r.addr(r.target, lane.Target.Broker), r.plan.LaneGroup()
		got, err := r.target.Client().LockQueues(t.Context(), at, group, "somebody else", held)
		require.NoError(t, err)
		assert.Equal(t, held, got, "a stopped worker gives its locks back")
		require.NoError(t, r.target.Client().UnlockQueues(t.Context(), at, group, "somebody else", held))
	}
	for range 3 { // each time by another worker
		env, stopped, ended := newEnvironment(), make(chan struct{}), make(chan error, 1)
		env.SetTestTimeout(time.Hour)
		env.SetWorkerStopChannel(stopped)
		env.RegisterActivity(NewReplication(r.settings))
		go func() {
			_, err := env.ExecuteActivity("Replicate", ReplicateRequest{Request: r.request(), Broker: broker})
			ended <- err
		}()
		r.produce(r.source, broker, orders, 0, 20)
		r.eventually("the lane copies what was produced", drained)
		close(stopped)
		err := <-ended
		assert.Equal(t, NotReadyType, typeOf(err), "another worker is asked: %v", err)
		requireGivenBack()
	}
	var verification api.Verification
	r.must(NewVerifier(r.settings), "Verify", VerifyRequest{Request: r.request(), Topics: api.Some(orders)},
		&verification)
	assert.True(t, verification.Clean(), "%+v", verification)
	assert.EqualValues(t, 60, verification.Compared)
}
