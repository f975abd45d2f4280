package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/metrics"
	"rocketshift/replicator/lane"
)

// Kinds of moves.
const (
	KindHome = "home" // where producers' messages of queues are stored
	KindSide = "side" // from which side groups read
	// KindAuthority is which side answers who a group's members are, and who holds queues locked.
	// It goes to the target for the end phase, when everything else is there, and comes back before
	// anything else does.
	KindAuthority = "authority"
)

// Move asks for homes of queues, or sides of groups, to move. Of queues, all move or none; groups
// move one after the other, each as a whole.
type Move struct {
	// of the caller; the same id again gives the same answer and moves nothing twice
	ID   string `json:"id"`
	Kind string `json:"kind"` // KindHome or KindSide
	To   string `json:"to"`   // source or target
	// of the state that the caller has seen; refused if there was another move since
	Epoch  *int64       `json:"epoch,omitempty"`
	Reason string       `json:"reason"`           // for the log
	Budget Duration     `json:"budget"`           // then everything is as it was; 1 s if absent
	Queues []TopicQueue `json:"queues,omitempty"` // of the source; KindHome
	Topics []string     `json:"topics,omitempty"` // all queues of these; KindHome
	Groups []string     `json:"groups,omitempty"` // KindSide
	// groups and topics for which the caller takes what a refusal has named as inexact
	Accept []string `json:"accept,omitempty"`
	// WithoutTarget asks for a return to the source of which nothing is proved on the target, as no
	// broker of that answers: refused while one does. By is who asks for it; Reason says why.
	WithoutTarget bool   `json:"withoutTarget,omitempty"`
	By            string `json:"by,omitempty"`
}

// TopicQueue is a queue of the source.
type TopicQueue struct {
	Topic string `json:"topic"`
	lane.Queue
}

// Moved is what became of a move.
type Moved struct {
	ID   string `json:"id"`
	Done bool   `json:"done"`
	// queues, or views of queues; those that were there already aren't counted
	Moved  int      `json:"moved"`
	Epoch  int64    `json:"epoch"`            // behind it
	Held   Duration `json:"held"`             // how long sends, or pulls, have waited at most
	Reason string   `json:"reason,omitempty"` // why it wasn't done
	// Unchecked says that the gateway ended before it was known whether groups stay; asked again,
	// it looks.
	Unchecked bool `json:"unchecked,omitempty"`
	// Inexact is what isn't as it should be, as the caller has accepted it.
	Inexact []string `json:"inexact,omitempty"`
}

const (
	usualBudget = time.Second
	// mostBudget is below the time-outs that clients have for sends, 3 s, so that none that has
	// waited is sent twice.
	mostBudget = 2500 * time.Millisecond
)

// ErrRefused is the cause of errors about moves that can't be asked for, or not now: nothing was
// tried.
var ErrRefused = errors.New("refused")

func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrRefused, fmt.Sprintf(format, args...))
}

// moves are done one after the other. The last ones are remembered, for callers that ask again.
type moves struct {
	epoch atomic.Int64 // counts those that were done
	way   way

	mu     sync.Mutex
	one    sync.Mutex // held by the one under way
	done   map[string]Moved
	recent []string // their ids, oldest first
}

const (
	rememberedMoves = 1000 // in memory
	savedMoves      = 100  // over a restart: a caller asks again within seconds
	longestID       = 200  // of a move, in bytes
)

// Move carries a move out. An error says that nothing was tried; a move that wasn't done says why.
func (g *Gateway) Move(ctx context.Context, m Move) (Moved, error) {
	was, err := g.moveOnce(ctx, m)
	if err != nil {
		g.counts.Moved(m.Kind, metrics.Refused)
	}
	return was, err
}

// moveOnce is Move, which counts what is refused.
func (g *Gateway) moveOnce(ctx context.Context, m Move) (Moved, error) {
	to, budget, err := checkMove(m)
	if err != nil {
		return Moved{}, err
	}
	ctx, done, err := g.turnOf(ctx, m, to)
	if err != nil {
		return Moved{}, err
	}
	defer done()
	if was, there := g.moves.remembered(m.ID); there {
		if was.Unchecked {
			return g.checkAgain(ctx, m, was)
		}
		return was, nil
	}
	if now := g.moves.epoch.Load(); m.Epoch != nil && *m.Epoch != now {
		return Moved{}, refused(
			"the move was asked for in epoch %d, and it is epoch %d: look at the state again", *m.Epoch, now,
		)
	}
	if _, err := g.lanes(); err != nil {
		return Moved{}, refused("%v", err)
	}
	if err := g.writable(); err != nil {
		return Moved{}, err
	}
	begin := time.Now()
	out, err := g.carryOut(ctx, m, to, budget)
	if errors.Is(err, ErrRefused) {
		return Moved{}, err
	}
	was := Moved{
		ID:      m.ID,
		Done:    err == nil,
		Moved:   out.moved,
		Epoch:   g.moves.epoch.Load(),
		Held:    Duration(out.held),
		Inexact: out.inexact,
	}
	if err != nil {
		was.Reason = err.Error()
	}
	g.log.Info("move", "id", m.ID, "kind", m.Kind, "to", m.To, "done", was.Done, "moved", out.moved, "held",
		out.held.String(), "took", time.Since(begin).String(), "reason", m.Reason, "cause", was.Reason,
		"inexact", was.Inexact, "withoutTarget", m.WithoutTarget, "by", m.By)
	if !was.Done {
		g.counts.Moved(m.Kind, metrics.Failed)
		return was, nil
	}
	g.counts.Moved(m.Kind, metrics.Done)
	g.moves.remember(was)
	return was, nil
}

func (g *Gateway) carryOut(ctx context.Context, m Move, to side, budget time.Duration) (done outcome, err error) {
	r := Round{
		ID:            m.ID,
		Kind:          m.Kind,
		To:            m.To,
		Budget:        Duration(budget),
		Reason:        m.Reason,
		Accept:        m.Accept,
		WithoutTarget: m.WithoutTarget,
		ends:          &Moved{ID: m.ID, Done: true},
	}
	switch m.Kind {
	case KindHome:
		return g.moveHomes(ctx, m, r, to)
	case KindSide:
		if len(m.Groups) == 0 {
			return done, refused("no groups are named")
		}
		ends := r.ends
		for i, group := range m.Groups {
			r.ID, r.Group, r.ends = m.ID+"/"+group, group, nil
			ends.Moved, ends.Inexact = done.moved, done.inexact
			if i == len(m.Groups)-1 {
				r.ends, ends.Unchecked = ends, to == target
			}
			one, err := g.moveGroup(ctx, m, r, to)
			done = outcome{done.moved + one.moved, max(done.held, one.held), append(done.inexact, one.inexact...)}
			if err != nil {
				return done, err
			}
		}
		return done, nil
	case KindAuthority:
		if g.authority() == to {
			return done, nil
		}
		if !m.WithoutTarget {
			if r.ends.Inexact, err = g.mayShare(ctx, m, r, to); err != nil {
				return done, err
			}
		}
		return g.leads(ctx, r, func(context.Context, *currentRound, []Prepared) (*Outcome, error) {
			return &Outcome{Authority: to.String()}, nil
		})
	}
	return done, refused("kind is %q: %s, %s or %s is possible", m.Kind, KindHome, KindSide, KindAuthority)
}

// moveHomes moves the homes of queues to a side, all of them or none. When the budget passes,
// producers' sends go to where they went before.
func (g *Gateway) moveHomes(ctx context.Context, m Move, r Round, to side) (done outcome, err error) {
	queues, err := g.queuesOf(m)
	if err != nil {
		return done, err
	}
	queues = slices.DeleteFunc(queues, func(q *queue) bool { return q.at() == to })
	if len(queues) == 0 {
		return done, nil
	}
	for _, q := range queues {
		r.Queues = append(r.Queues, q.name())
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
	g.askUnknownLimits(ctx)
	untaken, err := g.takesAll(ctx, r)
	if err != nil {
		return done, err
	}
	passing, err := g.nobodyBypasses(ctx, m, queues)
	if err != nil {
		return done, err
	}
	r.ends.Inexact = slices.Concat(unfit, untaken, passing)
	if err := g.readAhead(ctx, queues, to.other()); err != nil {
		return done, err
	}
	return g.leads(ctx, r, g.proveHomes)
}
