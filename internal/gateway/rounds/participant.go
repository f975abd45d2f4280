package rounds

import (
	"context"
	"errors"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// ErrBudget is the cause of the end of a round whose budget has passed.
var ErrBudget = errors.New("its budget passed, and everything is as it was")

// Prepare begins to take part in a round: what it is about waits.
func (a *Rounds) Prepare(ctx context.Context, r store.Round) (store.Prepared, error) {
	to, known := routing.SideOf(r.To)
	if !known || r.ID == "" {
		return store.Prepared{}, control.Refused("a round needs an id, and a side to go to")
	}
	if budget := time.Duration(r.Budget); budget <= 0 || budget > control.MostBudget {
		return store.Prepared{}, control.Refused("a budget of %s: more than 0 and at most %s is possible",
			budget, control.MostBudget)
	}
	if err := r.Numbers(); err != nil {
		return store.Prepared{}, control.Refused("%v", err)
	}
	if err := a.Host.MayTakePart(ctx, r, to); err != nil {
		return store.Prepared{}, err
	}
	p := &Current{round: r, to: to, since: time.Now(), moment: store.Moment{}.Now()}
	if err := a.begins(p); err != nil {
		return store.Prepared{}, err
	}
	waits, err := a.hold(ctx, p)
	a.mu.Lock()
	p.held = true
	if p.ended && err == nil {
		err = control.Refused("round %s was given up meanwhile", r.ID)
	}
	if err == nil {
		p.lapse = time.AfterFunc(time.Until(p.since.Add(time.Duration(r.Budget)+a.LapseAfter)), func() { a.lapsed(p) })
	}
	a.mu.Unlock()
	if err != nil {
		a.letGo(p)
		return store.Prepared{}, err
	}
	return waits, nil
}

// begins makes a round the one that this gateway takes part in. There is one at a time.
func (a *Rounds) begins(p *Current) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now != nil {
		return control.Refused("gateway %s takes part in round %s: wait until that has ended", a.Host.Name(),
			a.now.round.ID)
	}
	if now := a.Host.Epoch(); now != p.round.Epoch {
		return control.Refused("gateway %s is in epoch %d, the round is of epoch %d", a.Host.Name(), now, p.round.Epoch)
	}
	if err := a.Host.MayBegin(p.round, p.to); err != nil {
		return err
	}
	a.now = p
	return nil
}

// hold makes wait what the round is about.
func (a *Rounds) hold(ctx context.Context, p *Current) (known store.Prepared, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(p.round.Budget), ErrBudget)
	defer cancel()
	p.waits, known, err = a.Host.Hold(ctx, p.round, p.to)
	return known, err
}

// Ready has an outcome on disk, where there is anybody else who could know more.
func (a *Rounds) Ready(_ context.Context, id string, o store.Outcome) error {
	p, err := a.roundOf(id)
	if err != nil {
		return err
	}
	if err := o.Numbers(); err != nil {
		return control.Refused("%v", err)
	}
	if err := a.Host.Learn(&o); err != nil {
		return err
	}
	a.mu.Lock()
	p.outcome = &o
	a.mu.Unlock()
	if len(a.Host.Peers()) == 0 {
		return nil // nobody could know more than this gateway
	}
	return a.Host.Save()
}

// Commit goes by the outcome. A repeated one has no effect.
func (a *Rounds) Commit(_ context.Context, id string) error {
	p, err := a.roundOf(id)
	if err != nil {
		if a.hasCommitted(id) {
			return nil
		}
		return err
	}
	err = a.conclude(p, true)
	if err == nil {
		a.Host.WentBy(p.round, p.to)
	}
	return err
}

// Abort leaves everything as it was. A repeated one has no effect.
func (a *Rounds) Abort(_ context.Context, id string) error {
	if p, err := a.roundOf(id); err == nil {
		return a.conclude(p, false)
	}
	if a.hasCommitted(id) {
		return control.Refused("round %s is decided", id)
	}
	return nil
}

// conclude ends a round, by its outcome or without effect. It ends once.
func (a *Rounds) conclude(p *Current, decided bool) error {
	a.mu.Lock()
	if a.now != p || p.ended {
		a.mu.Unlock()
		return nil
	}
	if decided && p.outcome == nil {
		a.mu.Unlock()
		return control.Refused("gateway %s has no outcome of round %s", a.Host.Name(), p.round.ID)
	}
	p.ended = true
	held := p.held
	a.mu.Unlock()
	if !held {
		return nil // who is about to make everything wait sees that it is over
	}
	if p.lapse != nil {
		p.lapse.Stop()
	}
	err := a.goBy(p, decided)
	a.mu.Lock()
	a.now = nil // only now: whoever sees no round any more sees its effect
	if decided && err == nil {
		a.last = p.round.ID
	}
	a.mu.Unlock()
	a.Host.Waited(p.round.Kind, time.Since(p.since))
	p.letGo()
	return err
}

// goBy makes the end of a round so, in memory and on disk.
func (a *Rounds) goBy(p *Current, decided bool) error {
	shared := p.outcome != nil && len(a.Host.Peers()) > 0
	switch {
	case decided:
		return a.Host.GoBy(p.round, p.outcome, shared)
	case shared: // it must not be open after a restart
		return a.Host.Save()
	}
	return nil
}

// letGo ends a round before it has begun in earnest.
func (a *Rounds) letGo(p *Current) {
	a.mu.Lock()
	if a.now == p {
		a.now = nil
	}
	a.mu.Unlock()
	a.Host.Waited(p.round.Kind, time.Since(p.since))
	p.letGo()
}

// letGo lets go what has waited.
func (p *Current) letGo() {
	if p.waits != nil {
		p.waits.Release()
	}
}
