package rounds

import (
	"context"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/sleep"
)

// A gateway that was ready and heard nothing more doesn't know whether the round was decided: who
// leads may have died just before, or just after it, or be cut off. It finds out in three ways:
//
//   - the witness: who leads has "decided" on record there before anybody commits, who doubts has
//     "given up". The first one wins. Locks of brokers live for a minute and die with the broker, so
//     it is believed for a few seconds only;
//   - another gateway that went by the outcome, or gave the round up;
//   - who leads, when it is back: it asks all others, and gives up a round that none has committed.
//
// Meanwhile sends to ordered topics are refused, as two gateways that send the same queue's
// messages to two sides would mix their order. All others go on at the last home that is known,
// where nothing can be lost.

const (
	// witnessTime is how long a witness is believed, from the beginning of a round: no broker is
	// killed, started again, and has forgotten its locks so soon after the round's budget.
	witnessTime = 5 * time.Second
	// doubtPause is between two attempts to find out.
	doubtPause = 50 * time.Millisecond
)

// FindOut finds out what was decided, and goes by it.
func (a *Rounds) FindOut(p *Current) {
	a.mu.Lock()
	if p.doubt || a.now != p {
		a.mu.Unlock()
		return
	}
	p.doubt = true
	a.mu.Unlock()
	a.Log.Warn("it isn't known whether a round was decided: sends to ordered topics are refused until it is",
		"round", p.round.ID, "leader", p.round.Leader)
	if p.waits != nil {
		p.waits.Doubt()
	}
	a.Go(func() {
		for begin := time.Now(); ; {
			was, known := a.verdict(p)
			if known {
				a.Log.Info("it was found out how a round ended", "round", p.round.ID, "decided", was, "took",
					time.Since(begin).String())
				_ = a.conclude(p, was)
				return
			}
			if sleep.For(a.Context, doubtPause) != nil || !a.takesPart(p) {
				return
			}
		}
	})
}

// verdict asks whoever may know.
func (a *Rounds) verdict(p *Current) (was, known bool) {
	if time.Since(p.since) < witnessTime && !p.agePassed {
		if gaveUp, err := a.Witness.Record(a.Context, p.round, GivenUp); err == nil {
			return !gaveUp, true
		}
	}
	asked, peers := 0, a.Host.Peers()
	for _, peer := range peers {
		ctx, cancel := context.WithTimeout(a.Context, AskTime)
		is, err := peer.Replica(ctx)
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
	over := time.Since(p.since) > witnessTime+2*usualLapse
	return false, over && p.round.Leader == a.Host.Name() && asked == len(peers)
}

// Reopen takes up a round that a restart has interrupted; nil if there is none. How it ended is
// still to be found out.
func (a *Rounds) Reopen(open *store.Part) *Current {
	if open == nil {
		return nil
	}
	to, _ := routing.SideOf(open.Round.To)
	p := &Current{round: open.Round, to: to, outcome: &open.Outcome, held: true, moment: open.Moment}
	if age, known := open.Age(store.Moment{}.Now()); known {
		p.since = time.Now().Add(-age)
	} else { // the witness may be long gone, and whoever else is in doubt gets the time to say so
		p.since, p.agePassed = time.Now(), true
	}
	p.waits = a.Host.HoldAgain(&open.Outcome)
	a.mu.Lock()
	a.now = p
	a.mu.Unlock()
	return p
}

// lapsed acts when nothing more was heard of a round.
func (a *Rounds) lapsed(p *Current) {
	a.mu.Lock()
	ready := p.outcome != nil
	over := a.now != p
	a.mu.Unlock()
	switch {
	case over:
	case ready && len(a.Host.Peers()) > 0:
		a.FindOut(p)
	default:
		a.Log.Warn("nothing more was heard of a round; everything is as it was", "round", p.round.ID, "leader",
			p.round.Leader)
		_ = a.conclude(p, false)
	}
}
