package rounds

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

var errLost = errors.New("the call is lost")

// world are the gateways of a migration, and a broker that is their witness.
type world struct {
	*testing.T
	nodes []*node

	mu      sync.Mutex
	chance  *rand.Rand
	lost    float64 // the part of calls that is lost
	away    bool    // the witness is
	verdict map[string]string
	killAt  string // the phase at which who leads is killed
	cutAt   string // the phase at which all calls are lost from then on, and the witness is away
}

// node is one gateway, which may be killed and started again.
type node struct {
	world *world
	name  string

	mu       sync.Mutex
	now      *process
	starting *process
	disk     state
	waits    int // rounds for which something waits
}

type state struct {
	epoch int64
	home  string
	open  *store.Part
	begun time.Time // when that began
}

// process is what is gone when the gateway is killed.
type process struct {
	*node
	rounds *Rounds
	kill   context.CancelFunc
	state
}

func newWorld(t *testing.T, nodes int, seed uint64) *world {
	t.Helper()
	w := &world{T: t, chance: rand.New(rand.NewPCG(seed, 1)), verdict: map[string]string{}}
	for i := range nodes {
		n := &node{world: w, name: fmt.Sprint("gateway-", i), disk: state{home: "source"}}
		w.nodes = append(w.nodes, n)
		n.start()
	}
	return w
}

// start starts a gateway with what is on its disk.
func (n *node) start() {
	ctx, kill := context.WithCancel(n.world.Context())
	p := &process{node: n, kill: kill, state: n.disk}
	p.rounds = New(Options{
		Host: p, Witness: p, Log: slog.New(slog.DiscardHandler), Context: ctx,
		Go: func(do func()) { go do() }, Reached: p.reached,
	})
	open := n.disk.open
	if open != nil { // by the bubble's clock, not the machine's
		now := store.Moment{}.Now()
		was := *open
		was.Moment = store.Moment{Boot: now.Boot, Uptime: now.Uptime - control.Duration(time.Since(n.disk.begun))}
		open = &was
	}
	n.mu.Lock()
	n.starting, n.waits = p, 0
	n.mu.Unlock()
	doubted := p.rounds.Reopen(open) // before anybody can ask
	n.mu.Lock()
	n.now, n.starting = p, nil
	n.mu.Unlock()
	if doubted != nil {
		p.rounds.FindOut(doubted)
	}
}

// dies kills it: whatever still runs of it has no effect.
func (p *process) dies() {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	if p.now == p {
		p.now = nil
	}
	p.kill()
}

func (p *process) dead() bool {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	return p.now != p
}

func (p *process) reached(phase string) {
	p.world.mu.Lock()
	kills := phase == p.world.killAt
	if phase == p.world.cutAt {
		p.world.lost, p.world.away = 1, true
	}
	p.world.mu.Unlock()
	if kills {
		p.dies()
		runtime.Goexit()
	}
}

func (p *process) Name() string      { return p.name }
func (p *process) Targets() []string { return nil }

func (p *process) Epoch() int64 {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	return p.epoch
}

func (p *process) Peers() (all []Peer) {
	for _, n := range p.world.nodes {
		if n != p.node {
			all = append(all, peer{p, n})
		}
	}
	return all
}

func (p *process) MayTakePart(context.Context, store.Round, routing.Side) error { return nil }
func (p *process) MayBegin(store.Round, routing.Side) error                     { return nil }

func (p *process) Hold(context.Context, store.Round, routing.Side) (Held, store.Prepared, error) {
	return p.HoldAgain(nil), store.Prepared{}, nil
}

func (p *process) HoldAgain(*store.Outcome) Held {
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	if p.now == p || p.starting == p {
		p.waits++
	}
	return held{p}
}

type held struct{ *process }

func (h held) Doubt() {}

func (h held) Release() {
	h.node.mu.Lock()
	defer h.node.mu.Unlock()
	if h.now == h.process {
		h.waits--
	}
}

func (p *process) Learn(*store.Outcome) error { return nil }

func (p *process) Save() error {
	open := p.rounds.Open()
	p.node.mu.Lock()
	defer p.node.mu.Unlock()
	switch {
	case p.now != p:
		return errLost
	case open == nil || p.disk.open == nil || p.disk.open.Round.ID != open.Round.ID:
		p.disk.begun = time.Now()
	}
	p.disk = state{p.epoch, p.home, open, p.disk.begun}
	return nil
}

func (p *process) GoBy(_ store.Round, o *store.Outcome, _ bool) error {
	p.node.mu.Lock()
	p.epoch, p.home = o.Epoch, o.Authority
	p.node.mu.Unlock()
	return p.Save()
}

func (p *process) WentBy(store.Round, routing.Side) {}
func (p *process) Waited(string, time.Duration)     {}
func (p *process) Choose(_ context.Context, r *store.Round) error {
	r.Witness = "broker"
	return nil
}

func (p *process) Record(_ context.Context, r store.Round, verdict string) (bool, error) {
	w := p.world
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.away || p.dead() {
		return false, errLost
	}
	if _, there := w.verdict[r.ID]; !there {
		w.verdict[r.ID] = verdict
	}
	return w.verdict[r.ID] == verdict, nil
}

// peer is another gateway, as one sees it.
type peer struct {
	from *process
	to   *node
}

// call calls it, unless the request is lost; the answer may be.
func (p peer) call(do func(*process) error) error {
	lost := func() bool {
		p.from.world.mu.Lock()
		defer p.from.world.mu.Unlock()
		return p.from.world.chance.Float64() < p.from.world.lost
	}
	p.to.mu.Lock()
	to := p.to.now
	p.to.mu.Unlock()
	if to == nil || p.from.dead() || lost() {
		return errLost
	}
	if err := do(to); err != nil {
		return err
	}
	if lost() {
		return errLost
	}
	return nil
}

func (p peer) Prepare(ctx context.Context, r store.Round) (known store.Prepared, err error) {
	return known, p.call(func(to *process) (err error) {
		known, err = to.rounds.Prepare(ctx, r)
		return err
	})
}

func (p peer) Ready(ctx context.Context, id string, o store.Outcome) error {
	return p.call(func(to *process) error { return to.rounds.Ready(ctx, id, o) })
}

func (p peer) Commit(ctx context.Context, id string) error {
	return p.call(func(to *process) error { return to.rounds.Commit(ctx, id) })
}

func (p peer) Abort(ctx context.Context, id string) error {
	return p.call(func(to *process) error { return to.rounds.Abort(ctx, id) })
}

func (p peer) Replica(context.Context) (is store.Replica, err error) {
	return is, p.call(func(to *process) error {
		is.Round, _ = to.rounds.UnderWay()
		is.Epoch = to.Epoch()
		return nil
	})
}

// moves has the first gateway lead a move; nil if it was killed in the middle.
func (w *world) moves(id string) (err error) {
	err = errors.New("killed")
	done := make(chan struct{})
	p := w.nodes[0].now
	go func() {
		defer close(done)
		_, _, err = p.rounds.Lead(w.Context(), store.Round{
			ID: id, Kind: control.KindAuthority, To: "target", Budget: control.Duration(time.Second),
		}, func(context.Context, *Current, []store.Prepared) (*store.Outcome, error) {
			return &store.Outcome{Authority: "target"}, nil
		})
	}()
	<-done
	return err
}

// agree wants all gateways on one side, and nothing to wait, once everybody can be reached.
func (w *world) agree() (home string) {
	w.Helper()
	w.mu.Lock()
	w.lost, w.away, w.killAt, w.cutAt = 0, false, "", ""
	w.mu.Unlock()
	for _, n := range w.nodes {
		if n.now == nil {
			n.start()
		}
	}
	time.Sleep(time.Minute) // of the bubble's
	synctest.Wait()
	for _, n := range w.nodes {
		round, _ := n.now.rounds.UnderWay()
		assert.Empty(w, round, "%s takes part in no round any more", n.name)
		assert.Zero(w, n.waits, "nothing waits at %s", n.name)
		assert.Equal(w, w.nodes[0].now.state.home, n.now.home, n.name)
		assert.Equal(w, w.nodes[0].now.epoch, n.now.epoch, n.name)
		assert.Equal(w, n.now.home, n.disk.home, "%s on disk", n.name)
		assert.Nil(w, n.disk.open, n.name)
	}
	return w.nodes[0].now.home
}

// Wherever who leads is killed, and whether the witness is there or not, all gateways end on one
// side: the one that the witness knows, if it knows one.
func TestAllEndOnOneSideWhereverTheLeaderIsKilled(t *testing.T) {
	for at, want := range map[string]string{
		store.PhasePrepared: "source", store.PhaseProved: "source", store.PhaseReady: "source",
		store.PhaseDecided: "target", store.PhaseCommitted: "target", "": "target",
	} {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprintf("killed when %s, witness away: %v", at, away), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := newWorld(t, 3, 1)
					w.killAt = at
					err := w.moves("move")
					assert.Equal(t, at == "", err == nil)
					w.mu.Lock()
					w.away = away
					w.mu.Unlock()
					time.Sleep(10 * time.Second)          // the others hear nothing, and act
					if away && at == store.PhaseDecided { // nobody has committed, and nobody is asked any more
						assert.Equal(t, "source", w.agree())
						return
					}
					assert.Equal(t, want, w.agree())
				})
			})
		}
	}
}

// Who can ask nobody doesn't guess: who leads may have gone by the outcome.
func TestWhoIsCutOffStaysInDoubt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 3, 1)
		w.cutAt = store.PhaseDecided
		require.NoError(t, w.moves("move"))
		time.Sleep(time.Minute)
		assert.Equal(t, "target", w.nodes[0].disk.home)
		for _, n := range w.nodes[1:] {
			round, doubt := n.now.rounds.UnderWay()
			assert.Equal(t, "move", round, n.name)
			assert.True(t, doubt, n.name)
			n.now.dies() // which changes nothing
			n.start()
		}
		time.Sleep(time.Minute)
		assert.Equal(t, "target", w.agree())
	})
}

// Calls and answers are lost anywhere, gateways are killed, the witness is away: all end on one
// side, and can move again.
func TestAllEndOnOneSideWhateverIsLost(t *testing.T) {
	phases := []string{
		"", "", store.PhasePrepared, store.PhaseProved, store.PhaseReady, store.PhaseDecided,
		store.PhaseCommitted,
	}
	homes := map[string]int{}
	for seed := range uint64(400) {
		synctest.Test(t, func(t *testing.T) {
			w, chance := newWorld(t, 2+int(seed%3), seed), rand.New(rand.NewPCG(seed, 2))
			w.lost, w.away = chance.Float64()/8, chance.IntN(4) == 0
			w.killAt = phases[chance.IntN(len(phases))]
			err := w.moves("move")
			if other := w.nodes[1].now; chance.IntN(3) == 0 {
				other.dies()
			}
			time.Sleep(time.Duration(chance.IntN(8000)) * time.Millisecond)
			home := w.agree()
			homes[home]++
			if err == nil {
				require.Equal(t, "target", home, "seed %d: it was said to be done", seed)
			}
			require.NoError(t, w.moves("another"), "seed %d", seed)
			require.Equal(t, "target", w.agree(), "seed %d", seed)
		})
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
	assert.Greater(t, min(homes["source"], homes["target"]), 40, "both ends were seen: %v", homes)
}

// While something else is done, no round begins, and what others say of it has no effect.
func TestNoRoundBeginsBesideSomethingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, 2, 1)
		other := w.nodes[1].now.rounds
		round, _ := other.Occupy("restart", "gateway-1")
		require.Empty(t, round)
		round, doubt := other.Occupy("another", "gateway-1")
		assert.Equal(t, "restart", round)
		assert.False(t, doubt)
		require.ErrorContains(t, w.moves("move"), "takes part in round restart: wait until that has ended")
		require.ErrorIs(t, other.Commit(t.Context(), "restart"), control.ErrRefused)
		require.NoError(t, other.Abort(t.Context(), "restart"))
		other.Vacate("another")
		require.Error(t, w.moves("move"), "that isn't what occupies it")
		other.Vacate("restart")
		require.NoError(t, w.moves("move"))
		assert.Equal(t, "target", w.agree())
	})
}

// A restart tells how old an open round is by how long the machine runs, as somebody may have set
// the clock; where it can't, it doesn't believe what brokers say of it, which they forget after a
// minute.
func TestARestartKnowsHowOldAnOpenRoundIs(t *testing.T) {
	w := newWorld(t, 1, 1)
	a := w.nodes[0].now.rounds
	open := &store.Part{Round: store.Round{ID: "1", To: "target"}}
	now := store.Moment{}.Now()
	if now.Boot == "" {
		assert.True(t, a.Reopen(open).agePassed)
		return
	}
	open.Moment = store.Moment{Boot: now.Boot, Uptime: now.Uptime - control.Duration(3*time.Second)}
	p := a.Reopen(open)
	assert.False(t, p.agePassed)
	assert.InDelta(t, 3, time.Since(p.since).Seconds(), 1)
	open.Moment = store.Moment{Boot: "another", Uptime: now.Uptime}
	assert.True(t, a.Reopen(open).agePassed)
	wall := time.Now().Add(time.Hour) // of a file of before, or of a clock that was set back
	assert.True(t, a.Reopen(&store.Part{Round: open.Round, Since: &wall}).agePassed)
}

// Two gateways that lead at the same time leave one move, or none.
func TestTwoThatLeadAtOnceEndOnOneSide(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, 3, 1)
			var both sync.WaitGroup
			for _, n := range w.nodes[:2] {
				both.Go(func() {
					_, _, _ = n.now.rounds.Lead(t.Context(), store.Round{
						ID: n.name, Kind: control.KindAuthority, To: "target", Budget: control.Duration(time.Second),
					}, func(context.Context, *Current, []store.Prepared) (*store.Outcome, error) {
						return &store.Outcome{Authority: "target"}, nil
					})
				})
			}
			both.Wait()
			home := w.agree()
			assert.True(t, slices.Contains([]string{"source", "target"}, home))
		})
	}
}
