package gateway

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
)

// waiting are the cells of the matrix that are sent while a round has everything wait.
type waiting struct {
	armed atomic.Pointer[func(round string)] // what is done when a round has been prepared
	sent  []waitingCell
	count atomic.Int64
}

// waitingCell is a request whose answer comes when the round has ended, unless the gateway itself
// refuses it.
type waitingCell struct {
	*caller
	p    *place
	q    asked
	body string
}

// reached sends the cells of a round, once.
func (w *waiting) reached(g *Gateway, phase string) {
	if send := w.armed.Load(); phase == store.PhasePrepared && send != nil {
		round, _ := g.rounds.UnderWay()
		(*send)(round)
	}
}

// after is where everything is when a move has been done.
func (at stage) after(m control.Move) stage {
	to, _ := routing.SideOf(m.To)
	switch m.Kind {
	case control.KindHome:
		at.home = to
	case control.KindSide:
		at.reads = to
	case control.KindAuthority:
		at.authority = to
	}
	return at
}

// askedWhile are the requests that are sent while a round of a kind has what they are about wait.
// Where the target is dead, only pulls wait: all else needs it.
func (m *matrix) askedWhile(kind string) (all []asked) {
	for _, q := range allAsked() {
		switch {
		case kind == control.KindHome && q.serves == byHome && q.stores,
			kind == control.KindSide && q.serves == byReads && q.as == "" && (!m.dead || isPull(q.code)):
			all = append(all, q)
		}
	}
	return all
}

// moveWith moves, and sends requests of all accounts while what moves waits.
func (m *matrix) moveWith(move control.Move, before stage) {
	m.Helper()
	after := before.after(move)
	for try := 1; ; try++ {
		require.Less(m, try, 100, "%+v", move)
		move.ID, move.Budget = fmt.Sprintf("%s %s %s %d", move.Kind, move.To, before.name,
			try), control.Duration(
			control.MostBudget,
		)
		calls := m.callersFor(move)
		send := func(round string) { m.sendWaiting(move, round, before, after, calls) }
		m.waiting.armed.Store(&send)
		was, err := m.gateway.Move(m.ctx, move)
		m.waiting.armed.Store(nil)
		require.NoError(m, err)
		at := []stage{before}
		if was.Done {
			at[0] = after
		}
		if move.Kind == control.KindSide { // what isn't a pull may go to either side meanwhile
			at = []stage{before, after}
		}
		m.judgeWaiting(at)
		for _, one := range calls {
			one.close()
		}
		if was.Done {
			return
		}
		m.Logf("%s: %s", move.ID, was.Reason)
		require.NoError(m, sleep.For(m.ctx, control.RetryAfter))
	}
}

// callersFor are connections for the cells of a move, one each, as answers wait.
func (m *matrix) callersFor(move control.Move) (all []*caller) {
	for range len(accounts) * len(m.askedWhile(move.Kind)) {
		all = append(all, m.dial(m.gateway.clients.ports.translation()[m.addr(0)], m.gateway.NameServer()))
	}
	return all
}

// sendWaiting sends the cells of a round. What the gateway refuses by itself is answered at once:
// nobody waits who may not.
func (m *matrix) sendWaiting(move control.Move, round string, before, after stage, calls []*caller) {
	all := m.askedWhile(move.Kind)
	for i, a := range accounts {
		p := m.through[a.name]
		if move.Kind == control.KindSide && !strings.HasSuffix(round, "/"+p.group) {
			continue
		}
		p.stage = "in " + move.ID
		for j, q := range all {
			refused := m.wants(p, q, before).refused && m.wants(p, q, after).refused
			position := p.position
			if refused {
				p.position = forbidden + int64(j%shifts)
			} else if q.commits {
				position++
				p.position = position
			}
			c := calls[i*len(all)+j]
			c.opaque++
			raw, err := q.frame(p, c.opaque, routing.Source)
			if err == nil {
				_, err = c.to[q.names].Write(raw)
			}
			p.position = position
			if err != nil {
				m.Errorf("account %s, %s, %s: %v", p.name, p.stage, q.name, err)
				continue
			}
			m.waiting.count.Add(1)
			if p.forges && !q.oneWay {
				m.judge(waitingCell{c, p, q, ""}, "while the round waits", []stage{before})
				if is, _ := m.gateway.rounds.UnderWay(); is != round {
					m.Errorf("round %s has ended before those were refused that it mustn't wait for", round)
				}
				continue
			}
			m.waiting.sent = append(m.waiting.sent, waitingCell{c, p, q, p.body(q.name)})
		}
	}
}

// judgeWaiting judges the answers to the cells of a round, now that it has ended.
func (m *matrix) judgeWaiting(at []stage) {
	m.Helper()
	for _, cell := range m.waiting.sent {
		if cell.q.oneWay {
			if cell.q.stores && !m.wants(cell.p, cell.q, at[0]).refused {
				cell.p.stored[cell.body] = true
			}
			continue
		}
		if got, is := m.judge(cell, "when the round has ended", at); is && !got.refused && cell.q.stores {
			cell.p.stored[cell.body] = true
		}
	}
	m.waiting.sent = nil
}

// judge reads the answer to a cell, and compares it with what the broker rules that serves it in
// one of the stages. A pull may be told to ask again, which serves nothing.
func (m *matrix) judge(cell waitingCell, when string, at []stage) (got ruling, is bool) {
	m.Helper()
	var wants []ruling
	for _, one := range at {
		wants = append(wants, m.wants(cell.p, cell.q, one))
	}
	got, err := cell.answer(cell.q.names)
	switch {
	case err != nil && strings.Contains(err.Error(), gaveBack):
		return got, false // the machine was busy: it was given back, and not stored
	case err != nil:
		m.Errorf("account %s, %s, %s, %s: seen: %v; wanted: %s", cell.p.name, cell.p.stage, cell.q.name, when,
			err, wants)
		return got, false
	case isPull(cell.q.code) && strings.HasPrefix(got.says, fmt.Sprint("code ", remoting.PullRetryImmediately)):
		return got, true
	case !slices.ContainsFunc(wants, func(want ruling) bool { return want.is(got) }):
		m.Errorf("account %s, %s, %s, %s: seen: %s; wanted: %s", cell.p.name, cell.p.stage, cell.q.name, when,
			got, wants)
	}
	return got, true
}

// unsignedAs is the account that signs on the target for those that don't sign, where the file of
// --keys has unsigned.
const unsignedAs = "guest"

// signFor has the gateway sign for clients that don't, or not.
func (m *matrix) signFor(unsigned bool) {
	m.Helper()
	m.writeKeys(unsigned)
	m.unsigned = unsigned
	m.eventually("the gateway has read its keys", func() bool {
		_, known := m.gateway.clients.keys.Of(nil)
		return known == unsigned
	})
}

// returnsWithout kills the target's broker, and moves everything back without it, with cells in
// each round.
func (m *matrix) returnsWithout(kill func() error, at stage, moves ...control.Move) stage {
	m.Helper()
	for _, p := range m.through {
		m.settle(p)
	}
	require.NoError(m, kill())
	m.dead = true
	for _, move := range moves {
		move.WithoutTarget, move.By, move.Reason = true, "alice", "the target is dead"
		m.moveWith(move, at)
		at = at.after(move)
	}
	return at
}
