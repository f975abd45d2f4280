package gateway

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// roundHost is the gateway as rounds see it: what waits for them, and what they change.
type roundHost struct{ gateway *Gateway }

func (g *Gateway) newRounds() *rounds.Rounds {
	return rounds.New(rounds.Options{
		Host: roundHost{g}, Witness: roundHost{g}, Log: g.log, Context: g.ctx, Go: g.running.Go, Reached: g.reached,
	})
}

// heldRequests are what waits for a round: sends to queues whose homes move, or pulls of a group.
type heldRequests struct {
	homes   *holding
	views   []*routing.View
	ordered func(topic string) bool
}

// heldFor is what waits for a round.
func heldFor(p *rounds.Current) *heldRequests {
	w, _ := p.Waits().(*heldRequests)
	return w
}

// Doubt implements rounds.Held. Pulls go on, as both sides hold the same: the group reads on where
// it was.
func (w *heldRequests) Doubt() {
	if w.homes != nil {
		w.homes.doubt(w.ordered)
	}
	routing.GoOn(w.views)
}

// Release implements rounds.Held.
func (w *heldRequests) Release() {
	if w.homes != nil {
		w.homes.release()
	}
	routing.GoOn(w.views)
}

// Name implements rounds.Host.
func (g roundHost) Name() string { return g.gateway.Name() }

// Epoch implements rounds.Host.
func (g roundHost) Epoch() int64 { return g.gateway.moves.epoch.Load() }

// Targets implements rounds.Host.
func (g roundHost) Targets() []string { return *g.gateway.sides.Targets.Load() }

// Peers implements rounds.Host.
func (g roundHost) Peers() (all []rounds.Peer) {
	for _, p := range g.gateway.sides.Peers() {
		all = append(all, remoteParticipant{g.gateway.clientOf(p)})
	}
	return all
}

// MayTakePart implements rounds.Host.
func (g roundHost) MayTakePart(ctx context.Context, r store.Round, to routing.Side) error {
	return g.gateway.mayTakePart(ctx, r, to)
}

// MayBegin implements rounds.Host.
func (g roundHost) MayBegin(r store.Round, to routing.Side) error {
	if _, err := g.gateway.sides.Lanes(); err != nil {
		return control.Refused("%v", err)
	}
	if why := g.gateway.StateProblem(); why != "" {
		return control.Refused("gateway %s: %s", g.gateway.config.Name, why)
	}
	if why := g.gateway.checks.LetsEverybodyIn(); why != nil && to == routing.Target { // the way back gives nobody more
		return control.Refused("gateway %s: %v", g.gateway.config.Name, why)
	}
	if _, err := g.gateway.allFit(r); err != nil {
		return err
	}
	if _, err := g.gateway.checks.TakesSends(r); err != nil {
		return err
	}
	return g.gateway.agreeOnTargets(r.Targets)
}

// Hold implements rounds.Host.
func (g roundHost) Hold(ctx context.Context, r store.Round, to routing.Side) (rounds.Held, store.Prepared, error) {
	w := &heldRequests{ordered: g.gateway.sides.Ordered}
	var known store.Prepared
	var err error
	switch r.Kind {
	case control.KindHome:
		w.homes, known, err = g.gateway.prepareHomes(ctx, r, to)
	case control.KindSide:
		w.views, known, err = g.gateway.prepareViews(r, to)
	case control.KindAuthority:
	default:
		err = control.Refused("kind is %q: %s, %s or %s is possible", r.Kind, control.KindHome, control.KindSide,
			control.KindAuthority)
	}
	return w, known, err
}

// HoldAgain implements rounds.Host.
func (g roundHost) HoldAgain(o *store.Outcome) rounds.Held {
	w := &heldRequests{ordered: g.gateway.sides.Ordered}
	for _, h := range o.Homes {
		q := g.gateway.table.QueueFor(h.Topic, h.Broker, h.Queue)
		if w.homes == nil {
			w.homes = g.gateway.holdAll(nil)
		}
		q.HeldInstead(w.homes.hold)
		w.homes.queues = append(w.homes.queues, q)
	}
	return w
}

// Learn implements rounds.Host.
func (g roundHost) Learn(o *store.Outcome) error {
	g.gateway.table.LearnLanes(o.Lanes)
	return g.gateway.canGoBy(o)
}

// Save implements rounds.Host.
func (g roundHost) Save() error { return g.gateway.save() }

// GoBy implements rounds.Host.
func (g roundHost) GoBy(r store.Round, o *store.Outcome, shared bool) error {
	if o.Authority != "" {
		defer g.gateway.table.AuthorityChanges()()
	}
	g.gateway.owesFor(r, o)
	before := g.gateway.standing(o)
	if ends := r.Ends; ends != nil {
		ends.Moved, ends.Epoch = ends.Moved+o.Size(), o.Epoch
		g.gateway.moves.remember(*ends)
	}
	g.gateway.apply(o)
	err := g.gateway.save()
	switch {
	case err == nil:
		return nil
	case shared: // others go by it, and the outcome is on disk: a restart finds out
		g.gateway.log.Error("a decided round isn't on disk", "round", r.ID, "cause", err)
		return nil
	}
	g.gateway.apply(before)
	if r.Ends != nil {
		g.gateway.moves.forget(r.Ends.ID)
	}
	if again := g.gateway.save(); again != nil { // what failed may yet be on disk
		g.gateway.log.Error("the state on disk may be a round ahead", "round", r.ID, "cause", again)
	}
	return fmt.Errorf("everything is as it was: %w", err)
}

// WentBy implements rounds.Host.
func (g roundHost) WentBy(r store.Round, to routing.Side) {
	if r.Kind == control.KindSide && to == routing.Target {
		g.gateway.clients.registry.remirror(r.Group) // a target broker may have forgotten members since their last heartbeats
	}
}

// Waited implements rounds.Host.
func (g roundHost) Waited(kind string, took time.Duration) {
	g.gateway.clients.figures.counts.Held(kind, took)
}

// outcome is what a move has moved, and how long sends or pulls have waited for it.
type outcome struct {
	moved   int
	held    time.Duration
	inexact []string // what the caller has accepted
}

// lead leads a round.
func (g *Gateway) lead(ctx context.Context, r store.Round, prove rounds.Prove) (done outcome, err error) {
	done.moved, done.held, err = g.rounds.Lead(ctx, r, prove)
	return done, err
}

// leads is lead for a move of one round, which says what is inexact of it.
func (g *Gateway) leads(ctx context.Context, r store.Round, prove rounds.Prove) (outcome, error) {
	done, err := g.lead(ctx, r, prove)
	done.inexact = r.Ends.Inexact
	return done, err
}
