package rounds

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// Options are what rounds need.
type Options struct {
	Host    Host
	Witness Witness
	Log     *slog.Logger
	// Context is the gateway's life, and Go starts what lives no longer.
	Context context.Context //nolint:containedctx // rounds live as long as the gateway
	Go      func(func())
	// Reached tells tests how far a round is.
	Reached func(phase string)
	// LapseAfter is added to a round's budget before a gateway that hears nothing more acts by
	// itself: who leads gives up first. 0: 200 ms.
	LapseAfter time.Duration
}

// usualLapse is LapseAfter where none is given.
const usualLapse = 200 * time.Millisecond

// Rounds are those that this gateway takes part in: one at a time. It is the gateway's part in
// those that others lead, too.
type Rounds struct {
	Options

	mu   sync.Mutex
	now  *Current
	last string // the last one that it went by
}

// New takes part in no round yet.
func New(o Options) *Rounds {
	if o.LapseAfter == 0 {
		o.LapseAfter = usualLapse
	}
	return &Rounds{Options: o}
}

// Current is a round that this gateway takes part in.
type Current struct {
	round   store.Round
	to      routing.Side
	waits   Held           // nil before anything does
	outcome *store.Outcome // once it is ready
	since   time.Time
	moment  store.Moment // the same, for a process that comes after this one
	lapse   *time.Timer  // ends it when nothing more is heard
	doubt   bool         // it is being found out what was decided
	held    bool         // everything waits
	// agePassed: how old the round is isn't known, and may be older than a witness lasts.
	agePassed bool
	ended     bool // by an outcome or without effect
	// occupied: no round, but something that none may be beside.
	occupied bool
}

// Round is what the round is about.
func (p *Current) Round() store.Round { return p.round }

// To is the side that it goes to.
func (p *Current) To() routing.Side { return p.to }

// Waits is what waits for it.
func (p *Current) Waits() Held { return p.waits }

// UnderWay is the round that this gateway takes part in, and whether its end is in doubt.
func (a *Rounds) UnderWay() (round string, doubt bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now == nil {
		return "", false
	}
	return a.now.round.ID, a.now.doubt
}

// Occupy keeps rounds from beginning while something is done that none may be beside, until Vacate.
// It returns the id of the round that is under way, and whether its end is in doubt, if there is
// one: then nothing is occupied.
func (a *Rounds) Occupy(id, leader string) (round string, doubt bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now != nil {
		return a.now.round.ID, a.now.doubt
	}
	a.now = &Current{round: store.Round{ID: id, Leader: leader}, occupied: true}
	return "", false
}

// Vacate lets rounds begin again.
func (a *Rounds) Vacate(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.now != nil && a.now.occupied && a.now.round.ID == id {
		a.now = nil
	}
}

// Open is the round that is to be on disk: one that this gateway is ready for.
func (a *Rounds) Open() *store.Part {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.now; p != nil && p.outcome != nil && !p.ended {
		r := p.round
		r.WithoutTarget = false // nobody asks any more, and older releases don't know it
		return &store.Part{Round: r, Outcome: *p.outcome, Moment: p.moment, Since: nil}
	}
	return nil
}

// roundOf is the round of that id that this gateway takes part in.
func (a *Rounds) roundOf(id string) (*Current, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if p := a.now; p != nil && p.round.ID == id && !p.occupied {
		return p, nil
	}
	return nil, control.Refused("gateway %s takes no part in round %s: its budget has passed, or it was ended",
		a.Host.Name(), id)
}

func (a *Rounds) hasCommitted(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last == id
}

func (a *Rounds) takesPart(p *Current) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.now == p
}
