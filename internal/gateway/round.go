package gateway

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/store"
)

// outcome is what a move has moved, and how long sends or pulls have waited for it.
type outcome struct {
	moved   int
	held    time.Duration
	inexact []string // what the caller has accepted
}

var errBudget = errors.New("its budget passed, and everything is as it was")

// lead leads a round. An error says that everything is as it was, or that it isn't known yet what
// became of the round (errDoubt).
func (g *Gateway) lead(
	ctx context.Context,
	r store.Round,
	prove func(context.Context, *currentRound, []store.Prepared) (*store.Outcome, error),
) (done outcome, err error) {
	r.Leader, r.Epoch, r.Targets = g.config.Name, g.moves.epoch.Load(), *g.targets.Load()
	if err := g.chooseWitness(ctx, &r); err != nil {
		return done, err
	}
	begin := time.Now()
	defer func() { done.held = time.Since(begin) }()
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(r.Budget), errBudget)
	defer cancel()
	all := g.parties()
	o, err := g.agree(ctx, r, all, prove)
	if err != nil {
		g.abortAll(r, all)
		return done, err
	}
	p, err := localParticipant{g}.roundOf(r.ID)
	if err != nil {
		return done, err
	}
	if err := g.decide(ctx, p, all); err != nil {
		return done, err
	}
	if err := g.commitAll(r, all); err != nil {
		return done, err
	}
	done.moved = o.Size()
	return done, nil
}

// leads is lead for a move of one round, which says what is inexact of it.
func (g *Gateway) leads(
	ctx context.Context,
	r store.Round,
	prove func(context.Context, *currentRound, []store.Prepared) (*store.Outcome, error),
) (outcome, error) {
	done, err := g.lead(ctx, r, prove)
	done.inexact = r.Ends.Inexact
	return done, err
}

// agree makes everybody wait, finds the outcome, and makes everybody ready for it.
func (g *Gateway) agree(
	ctx context.Context,
	r store.Round,
	all []store.Participant,
	prove func(context.Context, *currentRound, []store.Prepared) (*store.Outcome, error),
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
	p, err := localParticipant{g}.roundOf(r.ID)
	if err != nil {
		return nil, err
	}
	g.reached(store.PhasePrepared)
	o, err := prove(ctx, p, known)
	if err != nil {
		return nil, err
	}
	o.Epoch = r.Epoch + 1
	g.reached(store.PhaseProved)
	if err := askAll(all, func(_ int, p store.Participant) error { return p.Ready(ctx, r.ID, *o) }); err != nil {
		return nil, err
	}
	g.reached(store.PhaseReady)
	return o, nil
}

// decide has it on record that the round is decided, where there is anybody else who must know.
func (g *Gateway) decide(ctx context.Context, p *currentRound, all []store.Participant) error {
	if len(all) == 1 {
		return nil
	}
	won, err := g.witness(ctx, p.round, decided)
	switch {
	case err != nil:
		localParticipant{g}.findOut(p)
		return fmt.Errorf("round %s: whether it is decided isn't known yet: %w", p.round.ID, err)
	case !won:
		g.abortAll(p.round, all)
		return fmt.Errorf("round %s: another gateway gave it up first: %w", p.round.ID, errBudget)
	}
	g.reached(store.PhaseDecided)
	return nil
}

// endTime bounds how long a gateway may take to hear how a round ended. It finds out by itself if
// it doesn't.
const endTime = time.Second

func (g *Gateway) commitAll(r store.Round, all []store.Participant) error {
	ctx, cancel := context.WithTimeout(g.ctx, endTime)
	defer cancel()
	errs := make([]error, len(all))
	_ = askAll(all, func(i int, p store.Participant) error {
		errs[i] = p.Commit(ctx, r.ID)
		return nil
	})
	for _, err := range errs[1:] {
		if err != nil {
			g.log.Warn("a gateway doesn't say that it goes by a round that is decided: it finds out by itself",
				"round", r.ID, "cause", err)
		}
	}
	g.reached(store.PhaseCommitted)
	return errs[0]
}

func (g *Gateway) abortAll(r store.Round, all []store.Participant) {
	ctx, cancel := context.WithTimeout(g.ctx, endTime)
	defer cancel()
	_ = askAll(all, func(_ int, p store.Participant) error {
		if err := p.Abort(ctx, r.ID); err != nil {
			g.log.Warn("a gateway doesn't say that it gives a round up: it finds out by itself", "round", r.ID,
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
func (g *Gateway) parties() []store.Participant {
	all := []store.Participant{localParticipant{g}}
	for _, p := range g.peers() {
		all = append(all, remoteParticipant{g.clientOf(p)})
	}
	return all
}
