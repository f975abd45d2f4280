package rounds

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/store"
)

// Prove finds the outcome of a round in which everything waits, by what all gateways know.
type Prove func(ctx context.Context, p *Current, all []store.Prepared) (*store.Outcome, error)

// Lead leads a round. moved is how much it moves, held how long sends or pulls have waited for it.
// An error says that everything is as it was, or that it isn't known yet what became of the round.
func (a *Rounds) Lead(ctx context.Context, r store.Round, prove Prove) (moved int, held time.Duration, err error) {
	r.Leader, r.Epoch, r.Targets = a.Host.Name(), a.Host.Epoch(), a.Host.Targets()
	if len(a.Host.Peers()) > 0 { // else nobody could doubt
		if err := a.Witness.Choose(ctx, &r); err != nil {
			return 0, 0, err
		}
	}
	begin := time.Now()
	defer func() { held = time.Since(begin) }()
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(r.Budget), ErrBudget)
	defer cancel()
	all := a.parties()
	o, err := a.agree(ctx, r, all, prove)
	if err != nil {
		a.abortAll(r, all)
		return 0, 0, err
	}
	p, err := a.roundOf(r.ID)
	if err != nil {
		return 0, 0, err
	}
	if err := a.decide(ctx, p, all); err != nil {
		return 0, 0, err
	}
	if err := a.commitAll(r, all); err != nil {
		return 0, 0, err
	}
	return o.Size(), 0, nil
}

// agree makes everybody wait, finds the outcome, and makes everybody ready for it.
func (a *Rounds) agree(
	ctx context.Context, r store.Round, all []store.Participant, prove Prove,
) (*store.Outcome, error) {
	known := make([]store.Prepared, len(all))
	if err := askAll(all, func(i int, p store.Participant) (err error) {
		if known[i], err = p.Prepare(ctx, r); err == nil {
			err = known[i].Numbers()
		}
		return err
	}); err != nil {
		return nil, err
	}
	p, err := a.roundOf(r.ID)
	if err != nil {
		return nil, err
	}
	a.Reached(store.PhasePrepared)
	o, err := prove(ctx, p, known)
	if err != nil {
		return nil, err
	}
	o.Epoch = r.Epoch + 1
	a.Reached(store.PhaseProved)
	if err := askAll(all, func(_ int, p store.Participant) error { return p.Ready(ctx, r.ID, *o) }); err != nil {
		return nil, err
	}
	a.Reached(store.PhaseReady)
	return o, nil
}

// decide has it on record that the round is decided, where there is anybody else who must know.
func (a *Rounds) decide(ctx context.Context, p *Current, all []store.Participant) error {
	if len(all) == 1 {
		return nil
	}
	won, err := a.Witness.Record(ctx, p.round, Decided)
	switch {
	case err != nil:
		a.FindOut(p)
		return fmt.Errorf("round %s: whether it is decided isn't known yet: %w", p.round.ID, err)
	case !won:
		a.abortAll(p.round, all)
		return fmt.Errorf("round %s: another gateway gave it up first: %w", p.round.ID, ErrBudget)
	}
	a.Reached(store.PhaseDecided)
	return nil
}

// endTime bounds how long a gateway may take to hear how a round ended. It finds out by itself if
// it doesn't.
const endTime = time.Second

func (a *Rounds) commitAll(r store.Round, all []store.Participant) error {
	ctx, cancel := context.WithTimeout(a.Context, endTime)
	defer cancel()
	errs := make([]error, len(all))
	_ = askAll(all, func(i int, p store.Participant) error {
		errs[i] = p.Commit(ctx, r.ID)
		return nil
	})
	for _, err := range errs[1:] {
		if err != nil {
			a.Log.Warn("a gateway doesn't say that it goes by a round that is decided: it finds out by itself",
				"round", r.ID, "cause", err)
		}
	}
	a.Reached(store.PhaseCommitted)
	return errs[0]
}

func (a *Rounds) abortAll(r store.Round, all []store.Participant) {
	ctx, cancel := context.WithTimeout(a.Context, endTime)
	defer cancel()
	_ = askAll(all, func(_ int, p store.Participant) error {
		if err := p.Abort(ctx, r.ID); err != nil {
			a.Log.Warn("a gateway doesn't say that it gives a round up: it finds out by itself", "round", r.ID,
				"cause", err)
		}
		return nil
	})
}

// askAll asks all parties at the same time.
func askAll(all []store.Participant, ask func(int, store.Participant) error) error {
	if len(all) == 1 {
		return ask(0, all[0])
	}
	var asked errgroup.Group
	for i, p := range all {
		asked.Go(func() error { return ask(i, p) })
	}
	return asked.Wait()
}

// parties are this gateway, first, and all others of the migration.
func (a *Rounds) parties() []store.Participant {
	all := []store.Participant{a}
	for _, p := range a.Host.Peers() {
		all = append(all, p)
	}
	return all
}
