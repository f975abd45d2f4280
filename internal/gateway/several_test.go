package gateway

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// pair are two gateways of a migration, as processes of their own.
type pair struct {
	*rig
	all [2]*gatewayProcess
}

// spawnPair starts both and tells them of each other. atPhase kills the first one when a round that
// it leads gets there.
func (r *rig) spawnPair(atPhase string) *pair {
	r.Helper()
	p := &pair{rig: r}
	base := r.config
	for i := range p.all {
		p.start(i, base, atPhase)
		atPhase = ""
	}
	r.config = base
	p.introduce()
	return p
}

// start starts one of them, with a folder and a fixed control address of its own.
func (p *pair) start(i int, base Config, atPhase string) {
	p.config = base
	p.config.Name, p.config.Token = fmt.Sprintf("%s-%d", base.Name, i), testToken
	p.config.Dir = fmt.Sprintf("%s/%d", base.Dir, i)
	at := ""
	if p.all[i] != nil {
		at = p.all[i].control
	}
	p.all[i] = p.spawn(controlAt+"="+at, diesIn+"="+atPhase)
}

// introduce tells both the migration, and of each other.
func (p *pair) introduce() {
	p.Helper()
	p.await("the gateways take the migration", func() string {
		_, err := p.fleet().Use(p.ctx, p.migration())
		return textOf(err)
	})
}

func (p *pair) fleet() *control.Fleet {
	return control.NewFleet([]string{p.all[0].control, p.all[1].control}, control.Access{Token: testToken})
}

// behind makes clients use one of the gateways from here on.
func (p *pair) behind(i int) { p.entrance = p.all[i].names }

func (p *pair) moves(id string, m control.Move) {
	p.Helper()
	m.ID, m.Budget = id, control.Duration(2*time.Second)
	p.await(id+" is done", func() string { // a gateway that hears from the other one too late refuses
		defer p.seen.move(time.Now())
		ctx, cancel := context.WithTimeout(p.ctx, patience)
		defer cancel()
		_, err := p.fleet().MoveUntilDone(ctx, m)
		return textOf(err)
	})
}

func (p *pair) states() [2]control.State {
	p.Helper()
	return [2]control.State(
		untilAnswered(p.rig, "how the gateways stand",
			func() ([]control.State, error) { return p.fleet().States(p.ctx) }),
	)
}

// agree wants both to have decided the same.
func (p *pair) agree() {
	p.Helper()
	var a, b control.State
	p.await("both gateways have decided the same", func() string {
		all := p.states()
		a, b = all[0], all[1]
		if a.Epoch == b.Epoch && !a.Doubt && !b.Doubt && a.Round == "" && b.Round == "" {
			return ""
		}
		return fmt.Sprintf("epochs %d and %d, in doubt %t and %t, rounds %q and %q", a.Epoch, b.Epoch, a.Doubt,
			b.Doubt, a.Round, b.Round)
	})
	require.ElementsMatch(p, a.Homes.Away, b.Homes.Away)
	require.Equal(p, a.Authority, b.Authority)
}

// Clients are spread over two gateways; groups and homes move there and back under load, for all of
// them at once.
func TestLiveTwoGatewaysMoveAsOne(t *testing.T) {
	t.Parallel()
	r := newRig(t, "two")
	orders, billing, audit := r.topic("orders", 2), r.group("billing"), r.group("audit")
	r.replicate()
	p := r.spawnPair("")
	p.behind(0)
	ordered, concurrent := r.consume(billing, orders, 1, true), r.consume(audit, orders, 1, false)
	p.behind(1)
	concurrent.join(orders, audit+"-other", false)
	concurrent.members = 2
	r.warmUp(orders, ordered, concurrent)
	r.control()
	two := r.produce(orders, "two", 4, 20*time.Millisecond)
	p.behind(0)
	one := r.produce(orders, "one", 4, 20*time.Millisecond)
	broker := r.brokers(r.source)[0]
	held, err := r.source.Client().LockQueues(r.ctx, broker.Addr, r.names().Group, "somebody else",
		[]rocketmq.MessageQueue{{Topic: leaseKind, Broker: p.states()[1].Gateway}})
	require.NoError(t, err)
	require.Empty(t, held, "each gateway has its lease")
	for round := range 4 {
		to := []string{"target", "source"}[round%2]
		p.moves(fmt.Sprint("side-", round),
			control.Move{Kind: control.KindSide, To: to, Groups: []string{billing, audit}})
		p.moves(fmt.Sprint("home-", round), control.Move{Kind: control.KindHome, To: to, Topics: []string{orders}})
		p.agree()
		r.untilMore(100, one, two, ordered, concurrent)
	}
	r.await("the gateways know who writes past them", func() string {
		is := p.states()
		return is[0].BypassUnknown + is[1].BypassUnknown
	})
	for _, is := range p.states() { // each one's producers are not past the other one
		assert.NotContains(t, fmt.Sprint(is.Bypass), orders)
	}
	one.end()
	two.end()
	for _, l := range []*load{one, two} {
		ordered.untilRead(l)
		concurrent.untilRead(l)
		r.sentWell(ordered, l)
		assert.Equal(t, verdict{}, ordered.judge(l))
		v := concurrent.judge(l)
		assert.Zero(t, v.lost+v.duplicated, "%+v", v)
	}
	t.Log(one, "; ", two)
}

// The gateway that leads a move is killed at each point of it. The other one goes on by the
// decision, or as it was before, and the killed one does the same when it is back; what clients
// send through the other one keeps its order.
func TestLongAGatewayThatLeadsIsKilledAtEachPointOfAMove(t *testing.T) {
	t.Parallel()
	r := newRig(t, "led")
	r.breaks = breaksGateways
	orders, billing := r.topic("orders", 2), r.group("billing")
	r.replicate()
	base := r.config
	p := r.spawnPair("")
	p.behind(1)
	ordered := r.consume(billing, orders, 1, true)
	r.warmUp(orders, ordered)
	load := r.produce(orders, "key", 4, 20*time.Millisecond)
	to := "target"
	for _, m := range []control.Move{{Kind: control.KindHome, Topics: []string{orders}}, {Kind: control.KindSide, Groups: []string{billing}}} {
		for _, phase := range []string{store.PhasePrepared, store.PhaseProved, store.PhaseReady, store.PhaseDecided, store.PhaseCommitted} {
			p.all[0].kill()
			p.start(0, base, phase)
			p.introduce()
			p.agree()
			before := p.states()[1]
			m.To, m.Budget = to, control.Duration(2*time.Second)
			try := 0
			p.all[0].diesInMove(r, "the gateway is killed at "+phase, func() control.Move {
				try++
				m.ID = fmt.Sprint(m.Kind, "-", phase, "-", try)
				return m
			})
			r.await("the other gateway knows how it ended", func() string {
				s, err := p.all[1].client.State(r.ctx)
				if err == nil && s.Round == "" && !s.Doubt {
					return ""
				}
				return fmt.Sprintf("round %q, in doubt %t, %v", s.Round, s.Doubt, err)
			})
			r.untilMore(100, load)
			after := p.states1()
			decided := phase == store.PhaseDecided || phase == store.PhaseCommitted
			assert.Equal(t, decided, after.Epoch > before.Epoch, "%s at %s: epoch %d, then %d", m.Kind, phase,
				before.Epoch, after.Epoch)
			p.start(0, base, "")
			p.introduce()
			p.agree()
			if decided {
				to = map[string]string{"target": "source", "source": "target"}[to]
			}
		}
		if to == "source" { // as at the beginning
			m.To = to
			p.moves(m.Kind+"-home again", m)
			to = "target"
		}
	}
	load.end()
	ordered.untilRead(load)
	assert.Equal(t, verdict{}, ordered.judge(load))
	r.sentWell(ordered, load)
	t.Log(load)
}

// states1 is how the second gateway stands while the first one is away.
func (p *pair) states1() control.State {
	p.Helper()
	return p.all[1].state(p.rig)
}

// endAt makes a gateway process end like a killed one when a round gets to a phase, which may be
// the name of a file that says it. The state is written at other times too: that counts in a round
// only.
func endAt(phase string) func(string) {
	var moving atomic.Bool
	return func(now string) {
		moving.CompareAndSwap(false, now == store.PhasePrepared)
		wanted := phase
		if strings.HasPrefix(phase, "/") {
			text, _ := os.ReadFile(phase)
			wanted = string(text)
		}
		if now == wanted && moving.Load() {
			self, _ := os.FindProcess(os.Getpid())
			_ = self.Kill()
			select {}
		}
	}
}
