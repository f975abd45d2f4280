package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"reflect"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// Config is what a gateway needs to begin. Everything else is told through the control API, and kept in Dir.
type Config struct {
	Name      string // of this gateway; unique in a migration
	Listen    string // host or address to listen on; empty means all
	Advertise string // host or address that clients are told
	NamesPort int    // of the name server that it is to clients; 0 picks one, which is kept
	Ports     map[string]int
	Dir       string // where its state is kept

	NameServers []string              // of the source
	Credentials *rocketmq.Credentials // the gateway's own, on the source
	OnTarget    *rocketmq.Credentials // and on the target; nil: the same
	Keys        string                // file with the access keys of applications; empty: none
	Log         *slog.Logger
}

// Migration is what the gateway must know to move anything: the other cluster, and the names that the lanes' copies are stamped with.
type Migration struct {
	Name        string   `json:"name"`
	LaneGroup   string   `json:"laneGroup"`
	Source      string   `json:"source"` // ids of both clusters in stamps
	Target      string   `json:"target"`
	NameServers []string `json:"nameServers"` // of the target
}

func (m Migration) check() error {
	switch {
	case m.Name == "" || m.LaneGroup == "" || m.Source == "" || m.Target == "":
		return errors.New("migration: name, laneGroup, source and target must be given")
	case len(m.NameServers) == 0:
		return errors.New("migration: nameServers of the target must be given")
	}
	return nil
}

// migration is one with what is needed to carry it out.
type migration struct {
	Migration
	target    *rocketmq.Cluster
	positions *replicator.Positions
}

// Gateway serves clients.
type Gateway struct {
	config Config
	log    *slog.Logger
	//nolint:containedctx // it is the life of the process, which every connection shares
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	source    *rocketmq.Cluster
	migration atomic.Pointer[migration]
	brokers   [2]atomic.Pointer[map[string][]string] // addresses by name; of slaves by name#id
	targets   atomic.Pointer[[]string]               // target brokers in the order of their tags
	topics    topics
	groups    groups
	mirrors   mirrors
	ports     ports
	refresh   signal
	state     *stateFile
	moves     moves
	judge     atomic.Uint32 // the side that is the authority
	away      atomic.Int64  // queues, views and the authority that aren't at the source
	losses    losses
	keys      keys
	serving   time.Time // since when clients are served

	mu       sync.Mutex
	sessions map[*session]bool
}

// lookPause is between looks at what both sides have.
const lookPause = 10 * time.Second

// Start makes a gateway that serves until Close.
func Start(c Config) (*Gateway, error) {
	if c.Name == "" || c.Advertise == "" || c.Dir == "" || len(c.NameServers) == 0 {
		return nil, errors.New("gateway: its name, the host that clients are told, its folder and the source's name servers must be given")
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	g := &Gateway{
		config: c, log: c.Log.With("gateway", c.Name),
		topics: topics{byName: map[string]*topic{}}, groups: groups{byName: map[string]*group{}},
		mirrors: mirrors{claims: map[claim]*session{}}, sessions: map[*session]bool{}, refresh: newSignal(), keys: keys{file: c.Keys},
	}
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.source = rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{Credentials: c.Credentials}), c.NameServers)
	g.ports.byAddr, g.targets = map[string]*port{}, atomic.Pointer[[]string]{}
	g.targets.Store(&[]string{})
	if err := g.begin(); err != nil {
		g.Close()
		return nil, err
	}
	g.running.Go(g.lookAgain)
	g.running.Go(g.keepPositions)
	g.running.Go(g.readKeysAgain)
	return g, nil
}

func (g *Gateway) begin() error {
	_, err := g.keys.read()
	if err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	if g.state, err = openState(g.config.Dir); err != nil {
		return err
	}
	kept := g.state.last()
	g.targets.Store(&kept.Targets)
	if err := g.ports.open(g, kept.Ports); err != nil {
		return err
	}
	if kept.Migration != nil {
		g.use(*kept.Migration)
	}
	if err := g.look(g.ctx); err != nil {
		if len(kept.Homes)+len(kept.Views) == 0 {
			return fmt.Errorf("gateway: %w", err)
		}
		g.log.Warn("it begins with what it knew", "cause", err)
	}
	g.restore(kept)
	g.serving = time.Now()
	g.ports.accept(g)
	return g.save()
}

// use makes a migration the gateway's.
func (g *Gateway) use(m Migration) {
	credentials := cmp.Or(g.config.OnTarget, g.config.Credentials)
	c := rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{Credentials: credentials}), m.NameServers)
	names := replicator.Names{Group: m.LaneGroup, Source: m.Source, Target: m.Target}
	g.migration.Store(&migration{m, c, replicator.NewPositions(g.source, c, names)})
}

// Use tells the gateway the migration that it is for. Another one is refused while anything is away from the source.
func (g *Gateway) Use(ctx context.Context, m Migration) error {
	if err := m.check(); err != nil {
		return err
	}
	now := g.migration.Load()
	same := now != nil && reflect.DeepEqual(now.Migration, m)
	if now != nil && !same && g.anythingOnTarget() && (now.Name != m.Name || now.LaneGroup != m.LaneGroup) {
		return fmt.Errorf("migration %s: homes or groups are still on the target of migration %s: move them back first", m.Name, now.Name)
	}
	if !same { // what is known of the lanes, and the connections, stay
		g.use(m)
	}
	if err := g.look(ctx); err != nil {
		return err
	}
	g.ports.accept(g)
	for _, s := range g.all() { // the target should know everybody before anything moves
		s.mu.Lock()
		client, beat := s.client, s.beat
		s.mu.Unlock()
		g.mirrors.beat(s, client, beat)
	}
	return g.save()
}

// NameServer is the address that clients are given as their name server.
func (g *Gateway) NameServer() string {
	return net.JoinHostPort(g.config.Advertise, strconv.Itoa(g.ports.numbers()[namesKey]))
}

func (g *Gateway) anythingOnTarget() bool { return g.away.Load() > 0 }

// Close ends all connections. Clients find their ways by themselves when a gateway serves again.
func (g *Gateway) Close() {
	g.stop()
	g.ports.close()
	for _, s := range g.all() {
		_ = s.conn.Close()
	}
	g.running.Wait()
	g.source.Client().Close()
	if m := g.migration.Load(); m != nil {
		m.target.Client().Close()
	}
}

// all are the sessions of this moment.
func (g *Gateway) all() []*session {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Collect(maps.Keys(g.sessions))
}

func (g *Gateway) lookAgain() {
	tick := time.NewTicker(lookPause)
	defer tick.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
		case <-g.refresh:
		}
		if err := g.look(g.ctx); err != nil && g.ctx.Err() == nil {
			g.log.Warn("what the clusters have can't be read; it goes on with what it knows", "cause", err)
		}
		g.ports.accept(g)
	}
}

// signal wakes who waits for it, once for any number of reasons.
type signal chan struct{}

func newSignal() signal { return make(signal, 1) }

func (s signal) now() {
	select {
	case s <- struct{}{}:
	default:
	}
}
