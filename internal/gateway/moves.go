package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/metrics"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// moves are done one after the other. The last ones are remembered, for callers that ask again.
type moves struct {
	epoch atomic.Int64 // counts those that were done
	way   way

	mu     sync.Mutex
	one    sync.Mutex // held by the one under way
	done   map[string]control.Moved
	recent []string // their ids, oldest first
}

const (
	rememberedMoves = 1000 // in memory
	savedMoves      = 100  // over a restart: a caller asks again within seconds
	longestID       = 200  // of a move, in bytes
)

// Move carries a move out. An error says that nothing was tried; a move that wasn't done says why.
func (g *Gateway) Move(ctx context.Context, m control.Move) (control.Moved, error) {
	was, err := g.moveOnce(ctx, m)
	if err != nil {
		g.clients.figures.counts.Moved(m.Kind, metrics.Refused)
	}
	return was, err
}

// moveOnce is Move, which counts what is refused.
func (g *Gateway) moveOnce(ctx context.Context, m control.Move) (control.Moved, error) {
	to, budget, err := checkMove(m)
	if err != nil {
		return control.Moved{}, err
	}
	ctx, done, err := g.turnOf(ctx, m, to)
	if err != nil {
		return control.Moved{}, err
	}
	defer done()
	if was, there := g.moves.remembered(m.ID); there {
		if was.Unchecked {
			return g.checkAgain(ctx, m, was)
		}
		return was, nil
	}
	if now := g.moves.epoch.Load(); m.Epoch != nil && *m.Epoch != now {
		return control.Moved{}, control.Refused(
			"the move was asked for in epoch %d, and it is epoch %d: look at the state again", *m.Epoch, now,
		)
	}
	if _, err := g.sides.Lanes(); err != nil {
		return control.Moved{}, control.Refused("%v", err)
	}
	if err := g.writable(); err != nil {
		return control.Moved{}, err
	}
	begin := time.Now()
	out, err := g.carryOut(ctx, m, to, budget)
	if errors.Is(err, control.ErrRefused) {
		return control.Moved{}, err
	}
	was := control.Moved{
		ID:      m.ID,
		Done:    err == nil,
		Moved:   out.moved,
		Epoch:   g.moves.epoch.Load(),
		Held:    control.Duration(out.held),
		Inexact: out.inexact,
	}
	if err != nil {
		was.Reason = err.Error()
	}
	g.log.Info("move", "id", m.ID, "kind", m.Kind, "to", m.To, "done", was.Done, "moved", out.moved, "held",
		out.held.String(), "took", time.Since(begin).String(), "reason", m.Reason, "cause", was.Reason,
		"inexact", was.Inexact, "withoutTarget", m.WithoutTarget, "by", m.By)
	if !was.Done {
		g.clients.figures.counts.Moved(m.Kind, metrics.Failed)
		return was, nil
	}
	g.clients.figures.counts.Moved(m.Kind, metrics.Done)
	g.moves.remember(was)
	return was, nil
}

func (g *Gateway) carryOut(
	ctx context.Context,
	m control.Move,
	to routing.Side,
	budget time.Duration,
) (done outcome, err error) {
	r := store.Round{
		ID:            m.ID,
		Kind:          m.Kind,
		To:            m.To,
		Budget:        control.Duration(budget),
		Reason:        m.Reason,
		Accept:        m.Accept,
		WithoutTarget: m.WithoutTarget,
		Ends:          &control.Moved{ID: m.ID, Done: true},
	}
	switch m.Kind {
	case control.KindHome:
		return g.moveHomes(ctx, m, r, to)
	case control.KindSide:
		if len(m.Groups) == 0 {
			return done, control.Refused("no groups are named")
		}
		ends := r.Ends
		for i, group := range m.Groups {
			r.ID, r.Group, r.Ends = m.ID+"/"+group, group, nil
			ends.Moved, ends.Inexact = done.moved, done.inexact
			if i == len(m.Groups)-1 {
				r.Ends, ends.Unchecked = ends, to == routing.Target
			}
			one, err := g.moveGroup(ctx, m, r, to)
			done = outcome{done.moved + one.moved, max(done.held, one.held), append(done.inexact, one.inexact...)}
			if err != nil {
				return done, err
			}
		}
		return done, nil
	case control.KindAuthority:
		if g.table.Authority() == to {
			return done, nil
		}
		if !m.WithoutTarget {
			if r.Ends.Inexact, err = g.checks.MayShare(ctx, m, r, to); err != nil {
				return done, err
			}
		}
		return g.leads(ctx, r, func(context.Context, *rounds.Current, []store.Prepared) (*store.Outcome, error) {
			return &store.Outcome{Authority: to.String()}, nil
		})
	}
	return done, control.Refused("kind is %q: %s, %s or %s is possible", m.Kind, control.KindHome,
		control.KindSide, control.KindAuthority)
}

// moveHomes moves the homes of queues to a side, all of them or none. When the budget passes,
// producers' sends go to where they went before.
func (g *Gateway) moveHomes(
	ctx context.Context,
	m control.Move,
	r store.Round,
	to routing.Side,
) (done outcome, err error) {
	queues, err := g.queuesOf(m)
	if err != nil {
		return done, err
	}
	queues = slices.DeleteFunc(queues, func(q *routing.Queue) bool { return q.At() == to })
	if len(queues) == 0 {
		return done, nil
	}
	for _, q := range queues {
		r.Queues = append(r.Queues, q.Name())
	}
	if r.WithoutTarget {
		if done, err = g.leads(ctx, r, g.homesWithoutTarget); err == nil {
			g.seeCopied(ctx, r.Queues)
		}
		return done, err
	}
	unfit, err := g.allFit(r)
	if err != nil {
		return done, err
	}
	g.sides.AskUnknownLimits(ctx)
	untaken, err := g.takesAll(ctx, r)
	if err != nil {
		return done, err
	}
	passing, err := g.checks.NobodyBypasses(ctx, m, queues)
	if err != nil {
		return done, err
	}
	r.Ends.Inexact = slices.Concat(unfit, untaken, passing)
	if err := g.sides.ReadAhead(ctx, queues, to.Other()); err != nil {
		return done, err
	}
	return g.leads(ctx, r, g.proveHomes)
}
