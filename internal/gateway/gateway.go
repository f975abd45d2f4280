package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"sync"
	"time"

	"rocketshift/internal/gateway/checks"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/keys"
	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// Config is what a gateway needs to begin. Everything else is told through the control API, and
// kept in Dir.
type Config struct {
	Name      string // of this gateway; unique in a migration
	Listen    string // host or address to listen on; empty means all
	Advertise string // host or address that clients are told
	NamesPort int    // of the name server that it is to clients; 0 picks one, which is kept
	Ports     map[string]int
	Dir       string // where its state is kept

	NameServers []string              // of the source
	Credentials *remoting.Credentials // the gateway's own, on the source
	OnTarget    *remoting.Credentials // and on the target; nil: the same
	Keys        string                // file with the access keys of applications; empty: none
	Token       string                // of the control API, for other gateways of the migration
	Peers       control.Access        // to these, but for the token
	// PEM file with the certificate that clients over TLS are shown; empty: these are refused
	TLSCert string
	TLSKey  string // and with its key
	Memory  int64  // bytes that the process may take, LeastMemory or more; 0: UsualMemory
	// KeepConnections keeps clients' connections open by a second process while this one is killed
	// and started again, where the system can do that (Linux).
	KeepConnections bool
	SourceTLS       connections.TLS
	TargetTLS       connections.TLS
	SourceAt        rocketmq.Addresses // where servers of the source are reached that advertise others
	TargetAt        rocketmq.Addresses // and those of the target
	Log             *slog.Logger

	Predecessor *Predecessor `json:"-"` // the process that serves with Dir, to take everything from; nil if none does
	// those that pass to a process that takes everything from this one; nil for none
	Listeners *Listeners `json:"-"`
}

// Gateway serves clients.
type Gateway struct {
	config Config
	log    *slog.Logger
	//nolint:containedctx // it is the life of the process, which every connection shares
	ctx     context.Context
	stop    context.CancelFunc
	running sync.WaitGroup

	sides replicas.Sides
	table routing.Table

	clients  *sessions
	handover handover

	state *store.File

	moves  moves
	rounds *rounds.Rounds
	checks checks.Checks

	serving time.Time // since when clients are served

	lease *rounds.Lease

	awayTarget awayTarget
	owing      store.Owed

	atPhase func(phase string) // for tests

	peerClients map[string]*control.Client // by address
}

const (
	// lookSoon is after a look that failed: who was away may be back.
	lookSoon = time.Second
)

// Start makes a gateway that serves until Close.
func Start(c Config) (*Gateway, error) {
	if c.Name == "" || c.Advertise == "" || c.Dir == "" || len(c.NameServers) == 0 {
		return nil, errors.New(
			"gateway: its name, the host that clients are told, its folder and the source's name servers must be given",
		)
	}
	switch c.Memory = cmp.Or(c.Memory, memory.UsualMemory); {
	case c.Memory < memory.LeastMemory:
		return nil, fmt.Errorf("gateway: a memory of %d bytes is too little: give it %d or more", c.Memory,
			memory.LeastMemory)
	}
	c.Log = cmp.Or(c.Log, slog.New(slog.DiscardHandler))
	dials, err := c.dialers()
	if err != nil {
		return nil, err
	}
	g := newGateway(c, dials)
	g.clients.opaques.begin()
	g.clients.bind()
	if err := g.begin(); err != nil {
		g.Close()
		return nil, err
	}
	g.running.Go(g.lookAgain)
	g.running.Go(g.keepSaving)
	g.running.Go(func() { g.sides.KeepPositions(g.ctx, &g.table) })
	g.running.Go(g.payOwed)
	g.running.Go(g.clients.readKeysAgain)
	g.running.Go(func() { g.lease.Keep(g.ctx) })
	g.running.Go(func() { g.checks.WatchMixed(g.ctx) })
	g.running.Go(g.clients.sweepAgain)
	g.awaitSuccessor()
	g.running.Go(g.clients.keepRegistrations)
	g.running.Go(func() { g.checks.LookForBypassingAgain(g.ctx) })
	g.running.Go(func() { g.checks.WatchWhiteLists(g.ctx) })
	return g, nil
}

// newGateway is a gateway that has begun nothing yet, and reaches servers by these.
func newGateway(c Config, dials [2]rocketmq.Dial) *Gateway {
	g := &Gateway{
		config: c, log: c.Log.With("gateway", c.Name), table: routing.NewTable(), sides: replicas.Sides{Dials: dials},
	}
	g.sides.Targets.Store(&[]string{})
	g.checks.Begin(g.log, &g.table, &g.sides, seenHere{g})
	g.handover.succession.done = make(chan struct{})
	g.ctx, g.stop = context.WithCancel(context.Background())
	g.sides.Source = rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{
		Credentials: c.Credentials,
		Dial:        dials[routing.Source],
	}), c.NameServers)
	g.rounds, g.lease = g.newRounds(), g.newLease()
	g.clients = g.newSessions()
	return g
}

// newSessions are sessions with clients, which have what they need of the gateway's.
func (g *Gateway) newSessions() *sessions {
	return &sessions{
		config: &g.config, log: g.log, ctx: g.ctx, running: &g.running,
		sides: &g.sides, table: &g.table, lease: g.lease,
		frozen: func() bool { return g.state.IsFrozen() }, passed: g.handover.succession.done,
		registry: newSessionRegistry(), ports: ports{byAddr: map[string]*port{}},
		refresh: newSignal(), changed: newSignal(), keys: keys.Keys{File: g.config.Keys}, waits: usualWaits,
		admission: admission{entry: connections.EntryWith(g.config.TLSCert, g.config.TLSKey)},
	}
}

func (g *Gateway) begin() (err error) {
	if _, err = g.clients.keys.Read(); err != nil {
		return fmt.Errorf("gateway: %w", err)
	}
	if err := g.clients.admission.entry.Open(g.log); err != nil {
		return err
	}
	before := g.config.Predecessor
	defer before.Close()
	if g.handover.folder, err = g.ownFolder(before); err != nil {
		return err
	}
	g.beginKeeping(before)
	if g.state, err = store.Open(g.config.Dir); err != nil {
		return err
	}
	g.state.Reached, g.state.Log = g.reached, g.log
	g.state.Postpone(before != nil)
	kept := g.state.Last()
	if err = g.sameSource(g.ctx, kept); err != nil {
		return err
	}
	g.sides.Targets.Store(&kept.Targets)
	if err := g.clients.ports.open(g.clients, kept.Ports); err != nil {
		return err
	}
	if kept.Migration != nil {
		g.sides.Migration.Store(g.meant(*kept.Migration))
	}
	if err := g.recall(kept); err != nil {
		return err
	}
	g.restore(kept) // before a look, which may save
	open := g.rounds.Reopen(kept.Open)
	if err := g.firstLook(kept); err != nil {
		return err
	}
	if err := g.firstLookAtWhiteLists(); err != nil {
		return err
	}
	if open != nil {
		g.rounds.FindOut(open)
	} else {
		g.sync(g.ctx)
	}
	g.lease.Renew(g.ctx)
	if err := g.meetClients(before); err != nil {
		return err
	}
	if !g.state.First && !before.hasSettled() {
		g.clients.beginsAgain()
	}
	if err := g.save(); err != nil && g.state.First {
		return err // nothing depends on it yet; later it serves all the same
	}
	g.keepSource()
	g.serving = time.Now()
	g.clients.ports.accept(g.clients)
	return nil
}

// meetClients takes the predecessor's clients over, or has those of before registered again.
func (g *Gateway) meetClients(before *Predecessor) error {
	if before == nil {
		g.clients.registerBefore()
		g.goOnWithKept()
		return nil
	}
	if err := g.takeFrom(before); err != nil {
		return err
	}
	g.state.Postpone(false)
	return nil
}

// NameServer is the address that clients are given as their name server.
func (g *Gateway) NameServer() string {
	return net.JoinHostPort(g.config.Advertise, strconv.Itoa(g.clients.ports.numbers()[namesKey]))
}

// Close ends all connections. Clients find their ways by themselves when a gateway serves again.
func (g *Gateway) Close() {
	g.stop()
	g.endKeeping()
	g.clients.admission.budget.Close()
	g.clients.ports.close()
	for _, s := range g.clients.registry.all() {
		_ = s.conn.Close()
	}
	g.running.Wait()
	if g.handover.folder != nil {
		_ = g.handover.folder.Close()
	}
	g.sides.Source.Client().Close()
	if m := g.sides.Migration.Load(); m != nil {
		m.TargetCluster.Client().Close()
	}
}
