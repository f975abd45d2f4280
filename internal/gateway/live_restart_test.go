package gateway

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/lab/javaclient"
	"rocketshift/internal/lab/labtest"
)

// takesOver starts another process with the gateway's folder, and waits for the end of the one that
// served so far.
func (p *gatewayProcess) takesOver(r *rig) *gatewayProcess {
	r.Helper()
	next := r.spawn()
	r.await("the process that served so far ends", func() string {
		select {
		case <-p.ended:
			return ""
		default:
			return "its end"
		}
	})
	require.NoError(r, p.how)
	require.Equal(r, p.names, next.names)
	return next
}

// Another process takes over from a gateway under load, with everything on the source and with
// everything on the target. No client sees that: no send fails, nothing is repeated, members keep
// their queues.
func TestLiveAnotherProcessTakesOverUnseen(t *testing.T) {
	t.Parallel()
	r := newRig(t, "takeover")
	orders, billing, shipping := r.topic("orders", 2), r.group("billing"), r.group("shipping")
	r.replicate()
	p := r.spawnAlone()
	java := r.javaConsume(billing, 2, javaclient.Consumer{Version: "4.9.7", Topic: orders, Mode: javaclient.Concurrent})
	ordered := r.consume(shipping, orders, 2, true)
	r.warmUp(orders, java, ordered)
	r.control()
	load := r.produce(orders, "key", 8, 20*time.Millisecond)
	goesOn := func() { r.untilMore(100, load, java, ordered) }
	goesOn()
	for _, to := range []string{"target", "source"} {
		p = p.takesOver(r)
		goesOn()
		p.moves(r, control.Move{ID: "side-" + to, Kind: control.KindSide, To: to, Groups: []string{billing, shipping}})
		p.moves(r, control.Move{ID: "home-" + to, Kind: control.KindHome, To: to, Topics: []string{orders}})
		goesOn()
		before := p.state(r)
		p = p.takesOver(r)
		after := p.state(r)
		require.Equal(t, before.Homes.Away, after.Homes.Away)
		require.Equal(t, before.Epoch, after.Epoch)
		require.Equal(t, idsOf(before.Clients), idsOf(after.Clients))
		goesOn()
	}
	load.end()
	for _, rs := range []*readers{java, ordered} {
		rs.untilRead(load)
		v := rs.judge(load)
		if rs == java {
			v.outOfOrder = 0
		}
		assert.Equal(t, verdict{}, v, rs.group)
	}
	r.sentWell(ordered, load)
	t.Log(load)
}

func idsOf(clients []control.Connected) (all []string) {
	for _, one := range clients {
		all = append(all, one.ID)
	}
	return all
}

// membersOf are the members of a group that each broker of a cluster lists, sorted.
func (r *rig) membersOf(group string) (all map[string][]string) {
	r.Helper()
	all = map[string][]string{}
	for _, b := range r.brokers(r.source) {
		is, err := r.source.Client().ConsumerConnectionsOf(r.ctx, b.Addr, group)
		if err != nil {
			all[b.Name] = []string{err.Error()}
			continue
		}
		for _, one := range is.Connections {
			all[b.Name] = append(all[b.Name], one.ClientID)
		}
		slices.Sort(all[b.Name])
	}
	return all
}

// restarts are groups that read while what they are connected to is killed and started again.
type restarts struct {
	*rig
	topic  string
	groups []*readers
	load   *load
}

func (r *rig) newRestarts(topic string) *restarts {
	s := &restarts{rig: r, topic: topic}
	for _, mode := range []string{javaclient.Concurrent, javaclient.Orderly} {
		s.groups = append(s.groups,
			r.javaConsume(r.group(mode), 2, javaclient.Consumer{Version: "4.9.7", Topic: topic, Mode: mode}))
	}
	r.warmUp(topic, s.groups...)
	s.load = r.produce(topic, "key", 8, 20*time.Millisecond)
	s.goesOn()
	return s
}

func (s *restarts) goesOn() {
	s.Helper()
	s.untilMore(100, s.load, s.groups[0], s.groups[1])
}

// judged is what became of the load, by group.
func (s *restarts) judged() (all []verdict) {
	s.Helper()
	s.load.end()
	for _, rs := range s.groups {
		rs.untilRead(s.load)
		all = append(all, rs.judge(s.load))
	}
	return all
}

// A gateway is killed and started again, with groups on the source and on the target. Brokers list
// all members as soon as anybody is served, so that members keep their queues, and no more is
// repeated than where a stock broker is killed.
func TestLongGroupsReadOnWhenTheirGatewayIsKilled(t *testing.T) {
	r := newRig(t, "restarts")
	r.breaks = breaksGateways
	topic := r.topic("orders", 2)
	p := r.spawnAlone()
	s := r.newRestarts(topic)
	r.replicate()
	sides := []string{"target", "", "source"} // "" is where they are
	kills := labtest.Rounds(3, 1)
	for _, to := range sides[:kills] {
		if to != "" {
			p.moves(r, control.Move{
				ID:     "side-" + to,
				Kind:   control.KindSide,
				To:     to,
				Groups: []string{s.groups[0].group, s.groups[1].group},
			})
			p.moves(r, control.Move{ID: "home-" + to, Kind: control.KindHome, To: to, Topics: []string{topic}})
			s.goesOn()
		}
		var before []map[string][]string
		for _, rs := range s.groups {
			before = append(before, r.membersOf(rs.group))
		}
		p.kill()
		p = r.spawn()
		for i, rs := range s.groups {
			assert.Equal(t, before[i], r.membersOf(rs.group), "at once, not with the members' next heartbeats")
		}
		s.goesOn()
	}
	through := s.judged()

	own := labtest.OwnCluster(t, lab.ClusterSpec{Version: "4.9.7", Brokers: 1})
	c := newRigBetween(t, "restarts-control", own, labtest.Cluster(t, "5.3.3"))
	c.breaks = breaksBrokers
	c.entrance = own.NameServers[0]
	straight := c.newRestarts(c.topic("orders", 4))
	for range kills {
		require.NoError(t, own.KillBroker(own.Brokers[0].Name))
		require.NoError(t, own.StartBroker(c.ctx, own.Brokers[0].Name))
		straight.goesOn()
	}
	control := straight.judged()
	t.Logf("through a gateway that is killed %d times %+v, straight to a broker that is %+v; %s", kills, through,
		control, s.load)
	for i, v := range through {
		assert.Zero(t, v.lost)
		assert.LessOrEqual(t, v.duplicated, control[i].duplicated)
	}
	assert.Zero(t, through[1].outOfOrder)
}
