package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
)

// A gateway is killed and started again while no name server of either side answers, and its disk
// takes nothing: clients that know their routes go on, with homes and groups where they were,
// positions are kept on both sides, and when name servers and disk are back, moves go on.
func TestLongAGatewayBeginsWithoutNameServersAndDisk(t *testing.T) {
	t.Parallel()
	from := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7"})
	to := labtest.OwnCluster(t, lab.ClusterSpec{Version: "5.3.3"})
	r := newRigBetween(t, "blind", from, to)
	r.breaks = breaksGateways
	orders, billing := r.topic("orders", 2), r.group("billing")
	r.replicate()
	p := r.spawnAlone()
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	load := r.produce(orders, "key", 4, 20*time.Millisecond)
	p.moves(r, control.Move{ID: "side", Kind: control.KindSide, To: "target", Groups: []string{billing}})
	p.moves(r, control.Move{ID: "home", Kind: control.KindHome, To: "target", Topics: []string{orders}})
	r.untilMore(100, load, ordered)
	before := p.state(r)
	p.kill()
	for _, c := range []*lab.Cluster{from, to} {
		require.NoError(t, c.StopNameServer())
	}
	again := stuck(t, r.config.Dir)
	p = r.spawn()
	after := p.state(r)
	assert.Equal(t, before.Epoch, after.Epoch)
	assert.Equal(t, before.Homes.Away, after.Homes.Away)
	assert.Contains(t, after.StateProblem, "can't be written")
	r.untilMore(200, load, ordered)
	_, err := p.client.Move(r.ctx,
		control.Move{ID: "blind", Kind: control.KindHome, To: "source", Topics: []string{orders}})
	require.ErrorContains(t, err, "can't be written")
	at := func() (sum int64) {
		for _, b := range r.brokers(r.source) {
			for id := range 2 {
				position, _, err := r.source.Client().QueryOffset(r.ctx, b.Addr, billing, orders, id)
				require.NoError(t, err)
				sum += position
			}
		}
		return sum
	}
	were := at()
	r.eventually("positions are kept on the source too", func() bool { return at() > were })

	again()
	for _, c := range []*lab.Cluster{from, to} {
		require.NoError(t, c.StartNameServer(r.ctx))
	}
	r.eventually("the state is on disk again", func() bool { return p.state(r).StateProblem == "" })
	p.moves(r, control.Move{ID: "home-back", Kind: control.KindHome, To: "source", Topics: []string{orders}})
	p.moves(r, control.Move{ID: "side-back", Kind: control.KindSide, To: "source", Groups: []string{billing}})
	r.untilMore(100, load, ordered)
	load.end()
	ordered.untilRead(load)
	v := ordered.judge(load)
	assert.Zero(t, v.lost)
	r.sentWell(ordered, load)
	t.Log(load, v.duplicated)
}
