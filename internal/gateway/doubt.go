package gateway

import (
	"context"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/sleep"
)

// A gateway that was ready and heard nothing more doesn't know whether the round was decided: who
// leads may have died just before, or just behind it, or be cut off. It finds out in three ways:
//
//   - the witness. A lock of LOCK_BATCH_MQ at a broker, made for the round (witness.go): who leads
//     takes it as "decided" before anybody commits, who doubts takes it as "given up". The first
//     one wins. Locks live for a minute and die with the broker, so it is believed for a few
//     seconds only;
//   - another gateway that went by the outcome, or gave the round up;
//   - who leads, when it is back: it asks all others, and gives up a round that none has committed.
//
// Meanwhile sends to ordered topics are refused, as two gateways that send the same queue's
// messages to two sides would mix their order. All others go on at the last home that is known,
// where nothing can be lost.

const (
	decided = "decided"
	givenUp = "givenUp"
	// witnessTime is how long a witness is believed, from the beginning of a round: no broker is
	// killed, started again, and has forgotten its locks so soon behind the round's budget.
	witnessTime = 5 * time.Second
	// doubtPause is between two attempts to find out.
	doubtPause = 50 * time.Millisecond
)

// findOut finds out what was decided, and goes by it.
func (g localParticipant) findOut(p *currentRound) {
	g.rounds.mu.Lock()
	if p.doubt || g.rounds.now != p {
		g.rounds.mu.Unlock()
		return
	}
	p.doubt = true
	g.rounds.mu.Unlock()
	g.log.Warn("it isn't known whether a round was decided: sends to ordered topics are refused until it is",
		"round", p.round.ID, "leader", p.round.Leader)
	if p.homes != nil {
		p.homes.doubt(g.ordered)
	}
	goOn(p.views) // both sides hold the same: the group reads on where it was
	g.running.Go(func() {
		for begin := time.Now(); ; {
			was, known := g.verdict(p)
			if known {
				g.log.Info("it was found out how a round ended", "round", p.round.ID, "decided", was, "took",
					time.Since(begin).String())
				_ = g.conclude(p, was)
				return
			}
			if sleep.For(g.ctx, doubtPause) != nil || !g.takesPart(p) {
				return
			}
		}
	})
}

func (g localParticipant) takesPart(p *currentRound) bool {
	g.rounds.mu.Lock()
	defer g.rounds.mu.Unlock()
	return g.rounds.now == p
}

// verdict asks whoever may know.
func (g localParticipant) verdict(p *currentRound) (was, known bool) {
	if time.Since(p.since) < witnessTime && !p.agePassed {
		if gaveUp, err := g.witness(g.ctx, p.round, givenUp); err == nil {
			return !gaveUp, true
		}
	}
	asked := 0
	for _, peer := range g.peers() {
		ctx, cancel := context.WithTimeout(g.ctx, askTime)
		is, err := remoteParticipant{g.clientOf(peer)}.replica(ctx)
		cancel()
		switch {
		case err != nil:
			continue
		case is.Epoch > p.round.Epoch:
			return true, true
		case is.Round != p.round.ID:
			return false, true // without it, nothing can have been decided
		}
		asked++
	}
	// Everybody is in doubt, and the witness is of no use any more. Only who leads could have
	// decided, and it didn't.
	over := time.Since(p.since) > witnessTime+2*lapseAfter
	return false, over && p.round.Leader == g.config.Name && asked == len(g.peers())
}

// reopen takes up a round that a restart has interrupted; nil if there is none. How it ended is
// still to be found out.
func (g localParticipant) reopen(open *store.Part) *currentRound {
	if open == nil {
		return nil
	}
	to, _ := routing.SideOf(open.Round.To)
	p := &currentRound{round: open.Round, to: to, outcome: &open.Outcome, held: true, moment: open.Moment}
	if age, known := open.Age(store.Moment{}.Now()); known {
		p.since = time.Now().Add(-age)
	} else { // the witness may be long gone, and whoever else is in doubt gets the time to say so
		p.since, p.agePassed = time.Now(), true
	}
	for _, h := range open.Outcome.Homes {
		q := g.queueFor(h.Topic, h.Broker, h.Queue)
		if p.homes == nil {
			p.homes = g.holdAll(nil)
		}
		q.hold.Store(p.homes.hold)
		p.homes.queues = append(p.homes.queues, q)
	}
	g.rounds.mu.Lock()
	g.rounds.now = p
	g.rounds.mu.Unlock()
	return p
}

// openPart is the round that is to be on disk: one that this gateway is ready for.
func (g *Gateway) openPart() *store.Part {
	g.rounds.mu.Lock()
	defer g.rounds.mu.Unlock()
	if p := g.rounds.now; p != nil && p.outcome != nil && !p.ended {
		r := p.round
		r.WithoutTarget = false // nobody asks any more, and older releases don't know it
		return &store.Part{Round: r, Outcome: *p.outcome, Moment: p.moment, Since: nil}
	}
	return nil
}

// lapsed acts when nothing more was heard of a round.
func (g localParticipant) lapsed(p *currentRound) {
	g.rounds.mu.Lock()
	ready := p.outcome != nil
	over := g.rounds.now != p
	g.rounds.mu.Unlock()
	switch {
	case over:
	case ready && len(g.peers()) > 0:
		g.findOut(p)
	default:
		g.log.Warn("nothing more was heard of a round; everything is as it was", "round", p.round.ID, "leader",
			p.round.Leader)
		_ = g.conclude(p, false)
	}
}
