package activities

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func queueOfTopic(lane lane.Lane) gateway.TopicQueue {
	return gateway.TopicQueue{Topic: lane.Topic, Queue: lane.Source}
}

// TestLiveASoakCountsWhatApplicationsWriteToEachSide has messages of before, messages on both
// sides, and lanes that copy all of them both ways.
func TestLiveASoakCountsWhatApplicationsWriteToEachSide(t *testing.T) {
	r := newRig(t, "soak")
	orders, _ := r.copied("orders", "billing", 5)
	both, err := r.settings.clusters().Both(r.ctx, r.plan)
	require.NoError(t, err)
	lanes := r.lanes(orders)
	away := []gateway.TopicQueue{queueOfTopic(lanes[0])}
	r.produce(r.target, lanes[0].Target.Broker, orders, lanes[0].Target.ID, 3) // before the soak
	begun, err := beginSoak(r.ctx, both, []string{orders})
	require.NoError(t, err)
	require.Len(t, begun.ends, 4)
	count := func() (sum traffic) {
		r.eventually("the lanes have copied it", func() bool {
			sum, err = countTraffic(r.ctx, both, []string{orders}, begun, away,
				func(SoakProgress) {})
			return err == nil && sum.lag == 0
		})
		return sum
	}
	// copies of what came before may still arrive: they aren't messages of applications
	require.Equal(t, traffic{topics: 1, queues: 4, away: 1}, count())
	r.produce(r.target, lanes[0].Target.Broker, orders, lanes[0].Target.ID, 30)
	r.produce(r.source, lanes[0].Source.Broker, orders, lanes[0].Source.ID, 1) // past its home
	r.produce(r.source, lanes[1].Source.Broker, orders, lanes[1].Source.ID, 69)
	require.Equal(t, traffic{
		topics: 1, queues: 4, away: 1, source: 70, target: 30, moved: 31, misplaced: 1,
	}, count())
}

// TestLongASoakOfTenThousandQueuesIsJudgedInTime has 10,000 queues, and writes to every fifth: a
// file of the broker belongs to each that was written to.
func TestLongASoakOfTenThousandQueuesIsJudgedInTime(t *testing.T) {
	r := newRig(t, "many")
	const topics, queues, busyOnes = 625, 8, 5 // queues on each of two brokers
	var names []string
	for i := range topics {
		names = append(names, fmt.Sprintf("%s-%03d", r.own, i))
	}
	r.everywhere(names, queues)
	both, err := r.settings.clusters().Both(r.ctx, r.plan)
	require.NoError(t, err)
	began := time.Now()
	begun, err := beginSoak(r.ctx, both, names)
	require.NoError(t, err)
	require.Len(t, begun.ends, 2*topics*queues)
	t.Logf("noted where 10,000 queues end in %s", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	sum, err := countTraffic(r.ctx, both, names, begun, nil, func(SoakProgress) {})
	require.NoError(t, err)
	require.Zero(t, sum.source+sum.target)
	t.Logf("counted nothing in %s", time.Since(began).Round(time.Millisecond))
	var busy []lane.Lane
	for lane := range begun.ends {
		if len(lane.Topic) > 0 && (lane.Topic[len(lane.Topic)-1]-'0')%busyOnes == 0 {
			busy = append(busy, lane)
		}
	}
	r.toEach(busy)
	r.eventually("the brokers show all messages", func() bool {
		ends, err := allEnds(r.ctx, both, names)
		require.NoError(t, err)
		return !slices.ContainsFunc(busy, func(lane lane.Lane) bool {
			return ends[lane] == begun.ends[lane]
		})
	})
	began = time.Now()
	told := SoakProgress{}
	sum, err = countTraffic(r.ctx, both, names, begun, nil, func(p SoakProgress) { told = p })
	took := time.Since(began)
	require.NoError(t, err)
	t.Logf("counted a message in each of %d queues in %s", len(busy), took.Round(time.Millisecond))
	assert.EqualValues(t, len(busy), sum.source)
	assert.Equal(t, len(busy), told.Of)
	assert.Less(t, took, 4*time.Minute, "five times as many in the 20 minutes of an attempt")
}

// everywhere makes topics with so many queues on each source broker, and with as many on the
// target.
func (r *rig) everywhere(names []string, queues int) {
	r.Helper()
	source, target := r.brokers(r.source), r.brokers(r.target)
	make := func(c *rocketmq.Cluster, b rocketmq.Broker, name string, queues int) error {
		return c.Client().CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{
			Name: name, ReadQueues: queues, WriteQueues: queues, Perm: 6,
			FilterType: "SINGLE_TAG",
		})
	}
	r.each(len(names), func(i int) error {
		for _, b := range source {
			if err := make(r.source, b, names[i], queues); err != nil {
				return err
			}
		}
		return make(r.target, target[0], names[i], queues*len(source))
	})
}

// toEach writes a message to the source queue of each lane.
func (r *rig) toEach(all []lane.Lane) {
	r.Helper()
	r.each(len(all), func(i int) error {
		_, err := r.source.Client().SendMessage(r.ctx, r.addr(r.source, all[i].Source.Broker),
			rocketmq.SendRequest{
				Group: "producers", Topic: all[i].Topic, Queue: all[i].Source.ID,
				BornTimestamp: time.Now().UnixMilli(), Body: []byte("x"),
			})
		return err
	})
}

// each does work side by side.
func (r *rig) each(n int, do func(i int) error) {
	r.Helper()
	const workers = 16
	errs := make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		all.Go(func() {
			for i := w; i < n && errs[w] == nil; i += workers {
				errs[w] = do(i)
			}
		})
	}
	all.Wait()
	for _, err := range errs {
		require.NoError(r, err)
	}
}
