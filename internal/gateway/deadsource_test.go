package gateway

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq/remoting"
)

// The target strikes members off whose heartbeats don't come. While the source is dead nobody takes
// a heartbeat there; one that says what a broker has taken before, from the same client, still goes
// to the target.
func TestMembersStayKnownOnTheTargetWhileTheSourceIsDead(t *testing.T) {
	g := newGuarded(t, appKeys)
	g.queue(routing.Target)
	beat := requests()[remoting.CodeHeartbeat].body
	g.request(remoting.CodeHeartbeat, 0, rightly, nil, beat)
	code, _ := g.answer()
	require.Equal(t, remoting.Success, code)
	require.Equal(t, remoting.CodeHeartbeat, g.source.next(t).code)
	require.Equal(t, remoting.CodeHeartbeat, g.target.next(t).code)

	g.sourceDies(t)
	for _, c := range []struct {
		by     signing
		body   string
		brings bool
	}{
		{forged, beat, false},
		{stranger, beat, false},
		{unsignedBy, beat, false},
		{rightly, `{"clientID":"one","consumerDataSet":[{"groupName":"others"}],"producerDataSet":[]}`, false},
		{rightly, beat, true},
	} {
		g.request(remoting.CodeHeartbeat, 0, c.by, nil, c.body)
		code, _ := g.answer()
		require.NotEqual(t, remoting.Success, code, "nobody has taken it")
		if c.brings {
			require.Equal(t, remoting.CodeHeartbeat, g.target.next(t).code)
			continue
		}
		select {
		case f := <-g.target.got:
			t.Errorf("the target gets a heartbeat of %s that no broker has ever taken: code %d", c.by.key, f.code)
		default:
		}
	}
}

// sourceDies ends the source's broker, as kill -9 does.
func (g *guarded) sourceDies(t *testing.T) {
	t.Helper()
	_ = g.source.Close()
	g.session.mu.Lock()
	up := g.session.ups[routing.Dest{Side: routing.Source, Broker: "broker-a"}]
	g.session.mu.Unlock()
	_ = up.conn.Close()
	require.Eventually(t, func() bool {
		g.session.mu.Lock()
		defer g.session.mu.Unlock()
		return g.session.ups[routing.Dest{Side: routing.Source, Broker: "broker-a"}] != up
	}, patience, lookEvery)
}
