package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// stage is where everything is in a stage of a migration.
type stage struct {
	name                   string
	home, reads, authority routing.Side
	moves                  []control.Move // that lead there
}

// Whoever the broker that serves a request would refuse is refused through the gateway, before a
// migration moves anything (some of the accounts) and when groups and homes are on the target (all
// of them), and nothing comes of it on either side; whoever it would serve is served. What brokers
// refuse is measured in the same run, straight at each of them.
func TestLiveNobodyGetsThroughTheGatewayWhatTheBrokerWouldRefuse(t *testing.T) {
	t.Parallel()
	m := openMatrix(t)
	some := slices.DeleteFunc(slices.Clone(accounts), func(a account) bool {
		return !slices.Contains([]string{"full", "sub", "forged", "unsigned"}, a.name)
	})
	at := m.stages(stage{name: "before everything"}, some, stage{
		"all on the source", routing.Source, routing.Source, routing.Source, nil,
	})
	at = m.stages(at, accounts, stage{
		"home and group on the target", routing.Target, routing.Target, routing.Source,
		[]control.Move{m.home(routing.Target), m.reads(routing.Target)},
	})
	m.ends(at)
}

// The same in every stage of a migration, there and back, and when the target has died.
func TestLongNobodyGetsInAnyStageWhatTheBrokerWouldRefuse(t *testing.T) {
	labtest.Loop(t)
	t.Parallel()
	m := openMatrix(t)
	authority := func(to routing.Side) control.Move { return control.Move{Kind: control.KindAuthority, To: to.String()} }
	one := func(moves ...control.Move) []control.Move { return moves }
	at := m.stages(stage{name: "before everything"}, accounts, []stage{
		{"all on the source", routing.Source, routing.Source, routing.Source, nil},
		{"home on the target", routing.Target, routing.Source, routing.Source, one(m.home(routing.Target))},
		{"home and group on the target", routing.Target, routing.Target, routing.Source, one(m.reads(routing.Target))},
		{"authority on the target", routing.Target, routing.Target, routing.Target, one(authority(routing.Target))},
		{
			"group on the target",
			routing.Source,
			routing.Target,
			routing.Source,
			one(authority(routing.Source), m.home(routing.Source)),
		},
		{"all back on the source", routing.Source, routing.Source, routing.Source, one(m.reads(routing.Source))},
	}...)
	for _, move := range []control.Move{m.home(routing.Target), m.reads(routing.Target)} {
		m.moveWith(move, at)
		at = at.after(move)
	}
	broker := m.clusters[routing.Target].Brokers[0].Name
	at = m.returnsWithout(func() error { return m.clusters[routing.Target].KillBroker(broker) }, at,
		m.home(routing.Source), m.reads(routing.Source))
	at.name = "returned without the target"
	m.stage(at, accounts)
	require.NoError(t, m.clusters[routing.Target].StartBroker(m.ctx, broker))
	m.dead = false
	m.ends(at)
}

// openMatrix is a matrix with a gateway, before anything has moved.
func openMatrix(t *testing.T) *matrix {
	t.Helper()
	m := newMatrix(t)
	m.measure()
	m.differ()
	m.replicate()
	g := m.open()
	g.atPhase = func(phase string) { m.waiting.reached(g, phase) }
	return m
}

// home moves where all topics' producers write.
func (m *matrix) home(to routing.Side) control.Move {
	move := control.Move{Kind: control.KindHome, To: to.String()}
	for _, a := range accounts {
		move.Topics = append(move.Topics, m.through[a.name].topic)
	}
	return move
}

// reads moves where all groups read.
func (m *matrix) reads(to routing.Side) control.Move {
	move := control.Move{Kind: control.KindSide, To: to.String()}
	for _, a := range accounts {
		move.Groups = append(move.Groups, m.through[a.name].group)
	}
	return move
}

// stages goes through stages from one on with these accounts, and is the last one.
func (m *matrix) stages(at stage, of []account, all ...stage) stage {
	m.Helper()
	for _, next := range all {
		for _, move := range next.moves {
			m.moveWith(move, at)
			at = at.after(move)
		}
		m.stage(next, of)
		// each takes seconds
		if next.reads == routing.Target && next.home == routing.Target ||
			next.moves != nil && next.reads == routing.Source {
			m.signFor(true)
			next.name += ", with unsigned"
			m.stage(next, []account{{name: "unsigned"}})
			m.signFor(false)
		}
		at = next
	}
	return at
}

// ends wants both sides to hold what was allowed in all stages.
func (m *matrix) ends(at stage) {
	m.Helper()
	for _, p := range m.through {
		m.settle(p)
	}
	for _, p := range m.through {
		m.holds(p)
	}
	refused, allowed := m.cells.refused.Load(), m.cells.allowed.Load()
	m.Logf("up to stage %q: %d cells: %d refused, %d of them also with the number of an allowed request; "+
		"%d allowed; %d more while a round waits", at.name,
		refused+allowed, refused, m.cells.reused.Load(), allowed, m.waiting.count.Load())
}

// stage sends all requests of some accounts in a stage.
func (m *matrix) stage(at stage, of []account) {
	m.Helper()
	m.Run(at.name, func(t *testing.T) {
		for _, a := range of {
			t.Run(a.name, func(t *testing.T) {
				t.Parallel()
				m.as(t).fill(m.through[a.name], at)
			})
		}
	})
	m.eventually("no client is left", func() bool { return len(m.gateway.clientsHere()) == 0 })
}

// serving is the side whose broker serves a request.
func (at stage) serving(q asked) routing.Side {
	return map[serves]routing.Side{
		bySource: routing.Source, byHome: at.home, byReads: at.reads, byAuthority: at.authority,
		byTarget: routing.Target,
	}[q.serves]
}

// wants is what must become of a request: what the broker that serves it rules, unless the gateway
// can't tell that broker who asks.
func (m *matrix) wants(p *place, q asked, at stage) ruling {
	on, name := at.serving(q), q.name
	if on == routing.Target && q.as != "" {
		name = q.as
	}
	by := p.name
	signedFor := m.unsigned && !p.signs
	if signedFor && on == routing.Target {
		by = unsignedAs
	}
	r := m.rulings[question{by, name, on}]
	r.says = fmt.Sprintf("as the %s's broker says to the same, asked straight: %s", on, r.says)
	switch {
	case q.names: // name servers let everybody ask
	case p.forges:
		return ruling{refused: true, words: "Check signature failed"}
	case signedFor: // as the guest there, and as it is here
	case !p.keyed && on == routing.Target,
		// it would be edited
		!p.keyed && p.signs && q.serves == byReads && q.code != remoting.CodeQueryOffset && m.shifted(p):
		return ruling{refused: true, words: "in the keys of rocketshift's gateway"}
	}
	return r
}

// shifted reports whether the group's offsets aren't the source's own any more.
func (m *matrix) shifted(p *place) bool {
	v := m.view(p)
	return v.Standing().Shift[routing.Source] != 0
}

// fill sends all requests of one account in a stage: first what must be refused, while nothing else
// changes its topic and group.
func (m *matrix) fill(p *place, at stage) {
	m.Helper()
	p.stage = at.name
	m.findFirst(p, routing.Source)
	m.findFirst(p, routing.Target)
	var refused, allowed []asked
	for _, q := range allAsked() {
		if m.dead && (at.serving(q) == routing.Target || q.makes) {
			continue // nobody is there to refuse it
		}
		if m.wants(p, q, at).refused {
			refused = append(refused, q)
		} else {
			allowed = append(allowed, q)
		}
	}
	m.settle(p)
	m.await("nobody is a member of before", func() string {
		return m.members(p, routing.Source) + m.members(p, routing.Target)
	})
	c := m.dial(m.gateway.clients.ports.translation()[m.addr(routing.Source)], m.gateway.NameServer())
	defer c.close()
	m.refuses(c, p, at, refused, allowed)
	m.allows(c, p, at, allowed)
	m.settle(p)
}

// cell sends one request. The answer must be the one that is wanted.
func (m *matrix) cell(c *caller, p *place, q asked, at stage) (what string) {
	m.Helper()
	want := m.wants(p, q, at)
	what = fmt.Sprintf("account %s, %s, %s (code %d)", p.name, at.name, q.name, q.code)
	if q.halves {
		m.prepare(p, q, at.serving(q))
	}
	got, err := c.ask(q, p, routing.Source)
	if err != nil {
		m.Errorf("%s: seen: %v; wanted: %s", what, err, want)
	} else if !q.oneWay && !want.is(got) {
		m.Errorf("%s: seen: %s; wanted: %s", what, got, want)
	}
	return what
}

// refuses sends what must be refused, by itself and with the number of an allowed request, and
// looks for an effect after each.
func (m *matrix) refuses(c *caller, p *place, at stage, all, allowed []asked) {
	m.Helper()
	position := p.position
	m.lockForOwner(p)
	before := m.look(p, true)
	for i, q := range all {
		p.position = forbidden + int64(i%shifts)
		what := m.cell(c, p, q, at)
		m.cells.refused.Add(1)
		if may, there := at.companion(q, allowed); there {
			m.reused(c, p, q, may, at)
		}
		now := m.look(p, q.makes)
		if seen := before.differs(now); seen != "" {
			m.Errorf("%s: seen: %s; wanted: refused, and nothing changed", what, seen)
			maps.Copy(before, now) // so that it is said once
		}
		if locked := m.locked(p); q.locks && locked != m.ownersOnly() {
			m.Errorf("%s: seen: locks are %s; wanted: refused, and %s", what, locked, m.ownersOnly())
		}
	}
	p.position = position
	if seen := before.differs(m.look(p, true)); seen != "" { // of those without an answer, too
		m.Errorf("account %s, %s: seen in the end: %s; wanted: nothing changed by what is refused",
			p.name, at.name, seen)
	}
}

// allows sends what must be done.
func (m *matrix) allows(c *caller, p *place, at stage, all []asked) {
	m.Helper()
	for _, q := range all {
		if q.commits {
			p.position++
		}
		if q.locks {
			m.lockForOwner(p)
		}
		what := m.cell(c, p, q, at)
		m.cells.allowed.Add(1)
		if q.stores || q.halves {
			p.stored[p.body(q.name)] = true
		}
		on := at.serving(q)
		switch {
		case q.commits && !(q.code == remoting.CodeLitePull && on == routing.Source): // 4.9.7 has no lite pull
			m.await(what+": the position is committed", func() string {
				if got := m.position(p, on); got != p.position {
					return fmt.Sprintf("%d, it is %d on the %s", p.position, got, on)
				}
				return ""
			})
		case q.code == remoting.CodeLock:
			assert.Equal(m, "locked", m.lockOf(p, on, 0), what)
		case q.code == remoting.CodeUnlock:
			free := func() bool { return m.lockOf(p, on, 1) == "free" }
			m.eventually(what+": the queue is free", free)
		case q.code == remoting.CodeHeartbeat:
			assert.Contains(m, m.members(p, routing.Source), p.client(), what)
			there := m.rulings[question{p.name, q.name, routing.Target}]
			if p.keyed && !there.refused && !m.dead {
				known := func() bool { return strings.Contains(m.members(p, routing.Target), p.client()) }
				m.eventually(what+": the target knows the member", known)
			}
		}
	}
}

// settle waits until both sides hold everything that was stored.
func (m *matrix) settle(p *place) {
	m.Helper()
	allowed := int64(prefilled + len(p.stored))
	m.await("both sides hold what was stored in "+p.topic, func() string {
		for _, on := range m.sides() {
			ends, err := m.cluster(on).Client().TopicStats(m.ctx, m.addr(on), p.topic)
			if err != nil {
				return err.Error()
			}
			want := allowed + p.surplus
			has := ends[0].Max + ends[1].Max
			if has > want {
				m.Errorf("account %s, %s: seen: %d messages on the %s; wanted: the %d that were allowed",
					p.name, p.stage, has-p.surplus, on, allowed)
				p.surplus = has - allowed
			}
			if has < want {
				return fmt.Sprintf("%d of %d on the %s", has, want, on)
			}
		}
		return ""
	})
}

// holds wants what was stored in an account's topic, on both sides, and nothing else.
func (m *matrix) holds(p *place) {
	m.Helper()
	want := strings.Join(slices.Sorted(maps.Keys(p.stored)), "\n")
	for _, c := range []*rocketmq.Cluster{m.source, m.target} {
		got := slices.DeleteFunc(m.stored(c, p.topic), func(body string) bool {
			return strings.HasPrefix(body, prefillsBody)
		})
		slices.Sort(got)
		assert.Equal(m, want, strings.Join(got, "\n"), "what is stored of account %s", p.name)
	}
}
