package gateway

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// currentRound is a round that this gateway takes part in.
type currentRound struct {
	round   store.Round
	to      routing.Side
	homes   *holding
	views   []*view
	outcome *store.Outcome // once it is ready
	since   time.Time
	moment  store.Moment // the same, for a process that comes after this one
	lapse   *time.Timer  // ends it when nothing more is heard
	doubt   bool         // it is being found out what was decided
	held    bool         // everything waits
	// agePassed: how old the round is isn't known, and may be older than a witness lasts.
	agePassed bool
	ended     bool // by an outcome or without effect
}

// currentRounds is the round that this gateway takes part in, and the last one that it went by.
type currentRounds struct {
	mu   sync.Mutex
	now  *currentRound
	last string
}

// underWay is the round that this gateway takes part in, and whether its end is in doubt.
func (g *Gateway) underWay() (round string, doubt bool) {
	g.rounds.mu.Lock()
	defer g.rounds.mu.Unlock()
	if g.rounds.now == nil {
		return "", false
	}
	return g.rounds.now.round.ID, g.rounds.now.doubt
}

// lapseAfter is added to a round's budget before a gateway that hears nothing more acts by itself:
// who leads gives up first.
const lapseAfter = 200 * time.Millisecond

// localParticipant is this gateway's own part.
type localParticipant struct{ *Gateway }

func (g localParticipant) Prepare(ctx context.Context, r store.Round) (store.Prepared, error) {
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
	if err := g.mayTakePart(ctx, r, to); err != nil {
		return store.Prepared{}, err
	}
	p := &currentRound{round: r, to: to, since: time.Now(), moment: store.Moment{}.Now()}
	if err := g.begins(p); err != nil {
		return store.Prepared{}, err
	}
	waits, err := g.hold(ctx, p)
	g.rounds.mu.Lock()
	p.held = true
	if p.ended && err == nil {
		err = control.Refused("round %s was given up meanwhile", r.ID)
	}
	if err == nil {
		p.lapse = time.AfterFunc(time.Until(p.since.Add(time.Duration(r.Budget)+lapseAfter)), func() { g.lapsed(p) })
	}
	g.rounds.mu.Unlock()
	if err != nil {
		g.letGo(p)
		return store.Prepared{}, err
	}
	return waits, nil
}

// begins makes a round the one that this gateway takes part in. There is one at a time.
func (g localParticipant) begins(p *currentRound) error {
	g.rounds.mu.Lock()
	defer g.rounds.mu.Unlock()
	if now := g.rounds.now; now != nil {
		return control.Refused("gateway %s takes part in round %s: wait until that has ended", g.config.Name,
			now.round.ID)
	}
	if now := g.moves.epoch.Load(); now != p.round.Epoch {
		return control.Refused("gateway %s is in epoch %d, the round is of epoch %d", g.config.Name, now, p.round.Epoch)
	}
	if _, err := g.lanes(); err != nil {
		return control.Refused("%v", err)
	}
	if why := g.StateProblem(); why != "" {
		return control.Refused("gateway %s: %s", g.config.Name, why)
	}
	if why := g.letsEverybodyIn(); why != nil && p.to == routing.Target { // the way back gives nobody more
		return control.Refused("gateway %s: %v", g.config.Name, why)
	}
	if _, err := g.allFit(p.round); err != nil {
		return err
	}
	if _, err := g.takesSends(p.round); err != nil {
		return err
	}
	if err := g.agreeOnTargets(p.round.Targets); err != nil {
		return err
	}
	g.rounds.now = p
	return nil
}

// hold makes wait what the round is about.
func (g localParticipant) hold(ctx context.Context, p *currentRound) (store.Prepared, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, time.Duration(p.round.Budget), errBudget)
	defer cancel()
	switch p.round.Kind {
	case control.KindHome:
		return g.prepareHomes(ctx, p)
	case control.KindSide:
		return g.prepareViews(p)
	case control.KindAuthority:
		return store.Prepared{}, nil
	}
	return store.Prepared{}, control.Refused("kind is %q: %s, %s or %s is possible", p.round.Kind,
		control.KindHome, control.KindSide, control.KindAuthority)
}

func (g localParticipant) Ready(_ context.Context, id string, o store.Outcome) error {
	p, err := g.roundOf(id)
	if err != nil {
		return err
	}
	if err := o.Numbers(); err != nil {
		return control.Refused("%v", err)
	}
	g.learnLanes(o.Lanes)
	if err := g.canGoBy(&o); err != nil {
		return err
	}
	g.rounds.mu.Lock()
	p.outcome = &o
	g.rounds.mu.Unlock()
	if len(g.peers()) == 0 {
		return nil // nobody could know more than this gateway
	}
	return g.save()
}

func (g localParticipant) roundOf(id string) (*currentRound, error) {
	g.rounds.mu.Lock()
	defer g.rounds.mu.Unlock()
	if p := g.rounds.now; p != nil && p.round.ID == id {
		return p, nil
	}
	return nil, control.Refused("gateway %s takes no part in round %s: its budget has passed, or it was ended",
		g.config.Name, id)
}

// commit goes by the outcome. A repeated one has no effect.
func (g localParticipant) Commit(_ context.Context, id string) error {
	p, err := g.roundOf(id)
	if err != nil {
		if g.hasCommitted(id) {
			return nil
		}
		return err
	}
	err = g.conclude(p, true)
	if err == nil && p.round.Kind == control.KindSide && p.to == routing.Target {
		g.remirror(p.round.Group) // a target broker may have forgotten members since their last heartbeats
	}
	return err
}

// abort leaves everything as it was. A repeated one has no effect.
func (g localParticipant) Abort(_ context.Context, id string) error {
	if p, err := g.roundOf(id); err == nil {
		return g.conclude(p, false)
	}
	if g.hasCommitted(id) {
		return control.Refused("round %s is decided", id)
	}
	return nil
}

func (g localParticipant) hasCommitted(id string) bool {
	g.rounds.mu.Lock()
	defer g.rounds.mu.Unlock()
	return g.rounds.last == id
}

// conclude ends a round, by its outcome or without effect. It ends once.
func (g localParticipant) conclude(p *currentRound, decided bool) error {
	g.rounds.mu.Lock()
	if g.rounds.now != p || p.ended {
		g.rounds.mu.Unlock()
		return nil
	}
	if decided && p.outcome == nil {
		g.rounds.mu.Unlock()
		return control.Refused("gateway %s has no outcome of round %s", g.config.Name, p.round.ID)
	}
	p.ended = true
	held := p.held
	g.rounds.mu.Unlock()
	if !held {
		return nil // who is about to make everything wait sees that it is over
	}
	if p.lapse != nil {
		p.lapse.Stop()
	}
	err := g.goBy(p, decided)
	g.rounds.mu.Lock()
	g.rounds.now = nil // only now: whoever sees no round any more sees its effect
	if decided && err == nil {
		g.rounds.last = p.round.ID
	}
	g.rounds.mu.Unlock()
	g.counts.Held(p.round.Kind, time.Since(p.since))
	p.letGo()
	return err
}

// goBy makes the end of a round so, in memory and on disk.
func (g localParticipant) goBy(p *currentRound, decided bool) error {
	shared := p.outcome != nil && len(g.peers()) > 0
	if !decided {
		if shared { // it must not be open after a restart
			return g.save()
		}
		return nil
	}
	if p.outcome.Authority != "" {
		g.judging.Lock() // who asks meanwhile waits for the disk
		defer g.judging.Unlock()
	}
	g.owesFor(p)
	before := g.standing(p.outcome)
	if ends := p.round.Ends; ends != nil {
		ends.Moved, ends.Epoch = ends.Moved+p.outcome.Size(), p.outcome.Epoch
		g.moves.remember(*ends)
	}
	g.apply(p.outcome)
	err := g.save()
	switch {
	case err == nil:
		return nil
	case shared: // others go by it, and the outcome is on disk: a restart finds out
		g.log.Error("a decided round isn't on disk", "round", p.round.ID, "cause", err)
		return nil
	}
	g.apply(before)
	if p.round.Ends != nil {
		g.moves.forget(p.round.Ends.ID)
	}
	if again := g.save(); again != nil { // what failed may yet be on disk
		g.log.Error("the state on disk may be a round ahead", "round", p.round.ID, "cause", again)
	}
	return fmt.Errorf("everything is as it was: %w", err)
}

// letGo ends a round before it has begun in earnest.
func (g localParticipant) letGo(p *currentRound) {
	g.rounds.mu.Lock()
	if g.rounds.now == p {
		g.rounds.now = nil
	}
	g.rounds.mu.Unlock()
	if !p.since.IsZero() { // else it is none of a move
		g.counts.Held(p.round.Kind, time.Since(p.since))
	}
	p.letGo()
}

// letGo lets go what has waited.
func (p *currentRound) letGo() {
	if p.homes != nil {
		p.homes.release()
	}
	goOn(p.views)
}
