package gateway

import (
	"context"
	"encoding/json"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// lockKeeper is a broker that keeps locks as brokers do: by queue, for one client id.
type lockKeeper struct {
	net.Listener

	mu    sync.Mutex
	locks map[bodies.JsonQueue]string
	asked []string // the brokers that requests named, as a proxy needs it
	known []string // of these, those that there are; nil: all
	code  int      // answered instead, if it isn't 0
}

func newLockKeeper(t *testing.T) *lockKeeper {
	t.Helper()
	at, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	k := &lockKeeper{Listener: at, locks: map[bodies.JsonQueue]string{}}
	t.Cleanup(func() { _ = at.Close() })
	go func() {
		for {
			conn, err := at.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = conn.Close() })
			go k.serve(conn)
		}
	}()
	return k
}

func (k *lockKeeper) serve(conn net.Conn) {
	in := wire.NewReader(conn)
	var f wire.Frame
	for in.Next(&f) == nil {
		_, _ = conn.Write(wire.AppendReply(nil, f.Opaque, f.Binary, k.answer(&f)))
	}
}

func (k *lockKeeper) answer(f *wire.Frame) wire.Reply {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.code != 0 || f.Code != remoting.CodeLock {
		return wire.Reply{Code: max(k.code, remoting.NotSupported), Remark: "request type not supported"}
	}
	body, err := bodies.ParseLock(f.Body)
	if err != nil {
		return wire.Reply{Code: remoting.SystemError, Remark: err.Error()}
	}
	held := []bodies.JsonQueue{}
	for _, q := range body.Queues {
		// A proxy sends the request to the broker of the first queue (ConsumerManagerActivity,
		// 5.3.3).
		k.asked = append(k.asked, q.Broker)
		if k.known != nil && !slices.Contains(k.known, q.Broker) {
			return wire.Reply{Code: remoting.SystemError, Remark: "the broker " + q.Broker + " not exist"}
		}
		if of, locked := k.locks[q]; !locked || of == body.Client {
			k.locks[q] = body.Client
			held = append(held, q)
		}
	}
	text, _ := json.Marshal(bodies.Locks{Queues: held})
	return wire.Reply{Body: text}
}

// between are two gateways of a migration between two brokers that keep locks.
func between(t *testing.T, here, there string) (all [2]*Gateway) {
	t.Helper()
	all, _ = idlePair(t)
	for _, g := range all {
		for on, addr := range [2]string{here, there} {
			client := rocketmq.NewClient(rocketmq.Options{})
			t.Cleanup(client.Close)
			name := []string{"broker-a", "broker-t"}[on]
			g.sides.Brokers[on].Store(&map[string][]string{name: {addr}})
			c := rocketmq.NewCluster(client, []string{nobodyAt})
			c.Assume(map[string]string{name: addr})
			if routing.Side(on) == routing.Source {
				g.sides.Source = c
			} else {
				g.sides.Migration.Load().TargetCluster = c
			}
		}
		g.lease = g.newLease()
		g.clients.lease = g.lease
	}
	return all
}

// leadsHome leads a round in which the home of the pair's queue goes to the target.
func leadsHome(ctx context.Context, g *Gateway, id string) error {
	_, err := g.lead(
		ctx,
		homeRound(id, 2*time.Second),
		func(context.Context, *rounds.Current, []store.Prepared) (*store.Outcome, error) {
			o := homeOutcome
			return &o, nil
		},
	)
	return err
}

// When the source is dead, and all homes are on the target, gateways still decide together, and
// have their leases: the target's brokers have it on record.
func TestTheTargetIsTheWitnessWhereTheSourceIsDead(t *testing.T) {
	there := newLockKeeper(t)
	all := between(t, nobodyAt, there.Addr().String())
	require.NoError(t, leadsHome(t.Context(), all[0], "move"))
	for _, g := range all {
		assert.EqualValues(t, 1, g.moves.epoch.Load())
		g.lease.Renew(g.ctx)
		assert.False(t, g.lease.Fenced())
	}
	r := store.Round{ID: "other", WitnessOnTarget: "broker-t"}
	for i, c := range []struct {
		verdict string
		won     bool
	}{{rounds.GivenUp, true}, {rounds.Decided, false}} { // the first one wins, whichever gateway it is
		won, err := roundHost{all[i]}.Record(t.Context(), r, c.verdict)
		require.NoError(t, err)
		assert.Equal(t, c.won, won, c.verdict)
	}
}

// While the source answers it is the witness, in words that older releases know.
func TestTheSourceIsTheWitnessWhileItAnswers(t *testing.T) {
	here, there := newLockKeeper(t), newLockKeeper(t)
	all := between(t, here.Addr().String(), there.Addr().String())
	require.NoError(t, leadsHome(t.Context(), all[0], "move"))
	assert.Equal(t, rounds.Decided, here.locks[bodies.JsonQueue{Topic: "rocketshift-round", Broker: "move", ID: 0}])
	assert.NotContains(t, there.locks, bodies.JsonQueue{Topic: "rocketshift-round", Broker: "move", ID: 0})
	r := store.Round{ID: "another"}
	require.NoError(t, roundHost{all[0]}.Choose(t.Context(), &r))
	text, err := json.Marshal(r)
	require.NoError(t, err)
	assert.NotContains(t, string(text), "witnessOnTarget", "of it older releases know nothing")
	assert.Equal(t, "broker-a", r.Witness)

	// The first broker of several may be down.
	for _, g := range all {
		g.sides.Brokers[routing.Source].Store(
			&map[string][]string{"broker-0": {nobodyAt}, "broker-a": {here.Addr().String()}},
		)
		g.sides.Source.Assume(map[string]string{"broker-0": nobodyAt, "broker-a": here.Addr().String()})
	}
	r = store.Round{ID: "a third"}
	require.NoError(t, roundHost{all[0]}.Choose(t.Context(), &r))
	assert.Equal(t, "broker-a", r.Witness)
}

// Without a witness nothing waits, and nothing is in doubt afterwards.
func TestARoundThatNoBrokerCouldBearWitnessOfDoesNotBegin(t *testing.T) {
	all := between(t, nobodyAt, nobodyAt)
	err := leadsHome(t.Context(), all[0], "move")
	require.ErrorIs(t, err, control.ErrRefused)
	require.ErrorContains(t, err, "no broker of either side answers")
	for _, g := range all {
		round, doubt := g.rounds.UnderWay()
		assert.Empty(t, round)
		assert.False(t, doubt)
	}
}

// A proxy sends a lock to the broker that its queue names: so leases and witnesses have it too
// where the target's brokers can't be reached.
func TestATargetBehindAProxyGivesLeasesAndBearsWitness(t *testing.T) {
	proxy := newLockKeeper(t)
	proxy.known = []string{"broker-t"}
	all := between(t, nobodyAt, proxy.Addr().String())
	for _, g := range all {
		client := rocketmq.NewClient(rocketmq.Options{})
		t.Cleanup(client.Close)
		m := g.sides.Migration.Load()
		m.NameServers, m.Proxy = nil, proxy.Addr().String()
		m.TargetCluster = rocketmq.NewClusterBehind(client, m.Proxy)
		m.TargetCluster.Assume(map[string]string{"broker-t": m.Proxy})
		g.lease.Renew(g.ctx)
		assert.False(t, g.lease.Fenced(), "%v", proxy.asked)
	}
	assert.Len(t, proxy.locks, 2, "each has its own")
	require.NoError(t, leadsHome(t.Context(), all[0], "move"))
	assert.EqualValues(t, 1, all[1].moves.epoch.Load())
}

// A proxy that serves no locks gives no leases: then the source's count alone, also where a gateway
// is taken off the list.
func TestAProxyThatServesNoLocksGivesNoLeases(t *testing.T) {
	here, proxy := newLockKeeper(t), newLockKeeper(t)
	proxy.code = remoting.NotSupported
	all := between(t, here.Addr().String(), proxy.Addr().String())
	g := all[0]
	m := g.sides.Migration.Load()
	m.NameServers, m.Proxy = nil, proxy.Addr().String()
	m.TargetCluster = rocketmq.NewClusterBehind(rocketmq.NewClient(rocketmq.Options{}), m.Proxy)
	t.Cleanup(m.TargetCluster.Client().Close)
	m.TargetCluster.Assume(map[string]string{"broker-t": m.Proxy})
	held, brokers, err := g.lockLease(t.Context(), "b")
	require.NoError(t, err)
	assert.Equal(t, [2]int{1, 1}, [2]int{held, brokers})
	r := store.Round{ID: "move"}
	require.NoError(t, roundHost{g}.Choose(t.Context(), &r))
	assert.Equal(t, "broker-a", r.Witness)
}
