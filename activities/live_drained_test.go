package activities

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/measure"
)

// Producers that have moved write on the target without a pause, and reverse lanes copy that to the
// source. Before, a step waited until they stopped: "producers still write" was said of our copies.
func TestLiveASourceIsDrainedWhileProducersWriteOnTheTarget(t *testing.T) {
	t.Parallel()
	const before = 5
	r := newRig(t, "drained")
	topic := r.topic("orders", 1)
	r.importAll([]string{topic}, nil, nil)
	r.fill(topic, before)
	r.replicate()
	lane := r.lanes(topic)[0]
	stop := r.keepProducing(r.target, lane.Target, topic)
	r.eventually("reverse lanes copy", func() bool {
		at, err := r.source.Client().MaxOffset(r.ctx, r.addr(r.source, lane.Source.Broker), topic, lane.Source.ID)
		require.NoError(t, err)
		return at > before+10
	})
	drained := TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(topic)}
	r.must(NewReplication(r.settings), "AwaitDrained", drained, nil)
	stop()

	stop = r.keepProducing(r.source, lane.Source, topic)
	defer stop()
	both, err := r.settings.clusters().Both(r.ctx, r.plan)
	require.NoError(t, err)
	l, err := both.Layout(r.ctx)
	require.NoError(t, err)
	// Not drained(): the producer's rhythm and that of the lane's commits can keep every look one
	// message behind.
	states, err := measure.Lanes(r.ctx, both, l, []string{topic})
	require.NoError(t, err)
	r.eventually("a producer that has stayed is noticed", func() bool {
		end, err := r.source.Client().MaxOffset(r.ctx, r.addr(r.source, lane.Source.Broker), topic, lane.Source.ID)
		require.NoError(t, err)
		own, err := measure.WrittenSince(r.ctx, both, lane, states[0].Max, end)
		require.NoError(t, err)
		return own > 0
	})
}
