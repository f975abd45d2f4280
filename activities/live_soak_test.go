package activities

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func queueOfTopic(lane lane.Lane) control.TopicQueue {
	return control.TopicQueue{Topic: lane.Topic, Queue: lane.Source}
}

// TestLiveASoakCountsWhatApplicationsWriteToEachSide has messages of before, messages on both
// sides, and lanes that copy all of them both ways.
func TestLiveASoakCountsWhatApplicationsWriteToEachSide(t *testing.T) {
	r := newRig(t, "soak")
	orders, _ := r.copied("orders", "billing", 5)
	both, err := r.settings.clusters().Both(r.ctx, r.plan)
	require.NoError(t, err)
	lanes := r.lanes(orders)
	away := []control.TopicQueue{queueOfTopic(lanes[0])}
	r.produce(r.target, lanes[0].Target.Broker, orders, lanes[0].Target.ID, 3) // before the soak
	begun, err := measure.BeginSoak(r.ctx, both, []string{orders})
	require.NoError(t, err)
	require.Len(t, begun.Ends, 4)
	count := func() (sum measure.Traffic) {
		r.eventually("the lanes have copied it", func() bool {
			sum, err = measure.CountTraffic(r.ctx, both, []string{orders}, begun, away,
				func(measure.SoakProgress) {})
			return err == nil && sum.Lag == 0
		})
		return sum
	}
	// copies of what came before may still arrive: they aren't messages of applications
	require.Equal(t, measure.Traffic{Topics: 1, Queues: 4, Away: 1}, count())
	r.produce(r.target, lanes[0].Target.Broker, orders, lanes[0].Target.ID, 30)
	r.produce(r.source, lanes[0].Source.Broker, orders, lanes[0].Source.ID, 1) // past its home
	r.produce(r.source, lanes[1].Source.Broker, orders, lanes[1].Source.ID, 69)
	require.Equal(t, measure.Traffic{
		Topics: 1, Queues: 4, Away: 1, Source: 70, Target: 30, Moved: 31, Misplaced: 1,
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
	begun, err := measure.BeginSoak(r.ctx, both, names)
	require.NoError(t, err)
	require.Len(t, begun.Ends, 2*topics*queues)
	t.Logf("noted where 10,000 queues end in %s", time.Since(began).Round(time.Millisecond))
	began = time.Now()
	sum, err := measure.CountTraffic(r.ctx, both, names, begun, nil, func(measure.SoakProgress) {})
	require.NoError(t, err)
	require.Zero(t, sum.Source+sum.Target)
	t.Logf("counted nothing in %s", time.Since(began).Round(time.Millisecond))
	var busy []lane.Lane
	for lane := range begun.Ends {
		if len(lane.Topic) > 0 && (lane.Topic[len(lane.Topic)-1]-'0')%busyOnes == 0 {
			busy = append(busy, lane)
		}
	}
	r.toEach(busy)
	r.eventually("the brokers show all messages", func() bool {
		ends, err := measure.EndsOf(r.ctx, both, names)
		require.NoError(t, err)
		return !slices.ContainsFunc(busy, func(lane lane.Lane) bool {
			return ends[lane] == begun.Ends[lane]
		})
	})
	began = time.Now()
	told := measure.SoakProgress{}
	sum, err = measure.CountTraffic(r.ctx, both, names, begun, nil, func(p measure.SoakProgress) { told = p })
	took := time.Since(began)
	require.NoError(t, err)
	t.Logf("counted a message in each of %d queues in %s", len(busy), took.Round(time.Millisecond))
	assert.EqualValues(t, len(busy), sum.Source)
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
