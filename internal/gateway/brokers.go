package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/rocketmq"
)

// lookAtBrokers takes over which brokers a side has. Those that are gone keep their last address.
func (g *Gateway) lookAtBrokers(ctx context.Context, on side, c *rocketmq.Cluster) error {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return err
	}
	all := map[string][]string{}
	if last := g.brokers[on].Load(); last != nil {
		for name, addrs := range *last {
			all[name] = addrs
		}
	}
	g.clusters[on].learn(nodes)
	for _, n := range nodes {
		name := n.Name
		if n.ID != 0 {
			name += "#" + strconv.FormatInt(n.ID, 10)
		}
		all[name] = []string{rocketmq.ServerOf(n.Addr)}
	}
	g.tellVersions(ctx, on, c)
	before := g.brokers[on].Swap(&all)
	if on == source {
		err = g.ports.ensure(g, all)
	} else {
		err = g.number(sortedKeys(all))
	}
	if err == nil && (before == nil || !sameAddresses(*before, all)) {
		_ = g.save() // for a start without name servers; that it can't be written is said, and tried again
	}
	return err
}

// tellVersions says which brokers don't say their versions, as those that have just been started, and those
// that are gone without a word. They are asked again at the next look.
func (g *Gateway) tellVersions(ctx context.Context, on side, c *rocketmq.Cluster) {
	brokers, err := c.Brokers(ctx)
	if err != nil || c.Proxy() != "" {
		return
	}
	for _, b := range brokers {
		if b.Version == "" && g.said.versions.due(on.String()+b.Name) {
			g.log.Warn("a broker is registered and doesn't say its version; it is asked again", "side", on.String(), "broker", b.Name, "address", b.Addr)
		}
	}
}

// number gives new target brokers the next numbers.
func (g *Gateway) number(names []string) error {
	before := g.targets.Load()
	now := *before
	next := slices.Clone(now)
	for _, name := range names {
		if !strings.Contains(name, "#") && !slices.Contains(next, name) {
			next = append(next, name)
		}
	}
	if len(next) > mostTargets {
		return fmt.Errorf("the target has %d brokers, at most %d can be told apart", len(next), mostTargets)
	}
	if len(next) == len(now) {
		return nil
	}
	g.targets.Store(&next)
	err := g.save() // before any client gets a tag of theirs
	if err != nil {
		g.targets.CompareAndSwap(&next, before)
	}
	return err
}

// brokersOf are the masters of a side.
func (g *Gateway) brokersOf(on side) (names []string) {
	if all := g.brokers[on].Load(); all != nil {
		for _, name := range sortedKeys(*all) {
			if !strings.Contains(name, "#") {
				names = append(names, name)
			}
		}
	}
	return names
}

// addresses are where a server is looked for, in this order.
func (g *Gateway) addresses(to dest) []string {
	if to == nameServers {
		return g.config.NameServers
	}
	if all := g.brokers[to.side].Load(); all != nil {
		return (*all)[to.broker] // of brokers behind a proxy the proxy's
	}
	return nil
}

// port is where clients find what stands for a server of the source.
type port struct {
	dest
	broker    []byte // the name of the source broker, without a slave's id
	names     bool   // it stands for the name servers
	listener  net.Listener
	host      netip.AddrPort // what clients are told, if that is an IP address
	begun     bool
	paused    atomic.Bool // nobody is accepted
	advertise string
}

func (p *port) address() netip.AddrPort { return p.host }

func (p *port) number() int { return p.listener.Addr().(*net.TCPAddr).Port }

// ports are all of them.
type ports struct {
	mu     sync.Mutex
	all    []*port
	byAddr map[string]*port // by the address of the source's server
	closed bool
	kept   map[string]int          // numbers of before, by broker
	passed map[string]net.Listener // of the predecessor, by broker
}

// namesKey is what the port of the name server goes by on disk.
const namesKey = "@"

func (p *ports) open(g *Gateway, kept map[string]int) error {
	p.kept = kept
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listen(g, nameServers, g.config.NamesPort)
}

// listen opens a port: of a number that is given, or was used before, or any.
func (p *ports) listen(g *Gateway, to dest, number int) error {
	if number == 0 {
		number = p.kept[to.broker]
	}
	listener, err := p.passed[to.broker], error(nil)
	if listener == nil {
		listener, err = net.Listen("tcp", net.JoinHostPort(g.config.Listen, strconv.Itoa(number)))
	}
	if err != nil {
		return fmt.Errorf("gateway: the port that stands for %s: %w", to.broker, err)
	}
	name, _, _ := strings.Cut(to.broker, "#")
	one := &port{dest: to, broker: []byte(name), names: to == nameServers, listener: listener, advertise: g.config.Advertise}
	if ip, err := netip.ParseAddr(g.config.Advertise); err == nil {
		one.host = netip.AddrPortFrom(ip, uint16(one.number()))
	}
	p.all = append(p.all, one)
	return nil
}

// ensure opens ports for source brokers that have none.
func (p *ports) ensure(g *Gateway, brokers map[string][]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	known := map[string]*port{}
	for _, one := range p.all {
		known[one.dest.broker] = one
	}
	for _, name := range sortedKeys(brokers) {
		if known[name] == nil {
			if err := p.listen(g, dest{source, name}, g.config.Ports[name]); err != nil {
				return err
			}
			known[name] = p.all[len(p.all)-1]
		}
		for _, addr := range brokers[name] {
			p.byAddr[addr] = known[name]
		}
	}
	return nil
}

// of is the port that stands for a broker of the source; nil if there is none.
func (p *ports) of(broker string) *port {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		if one.dest.broker == broker {
			return one
		}
	}
	return nil
}

// accept begins to serve the ports that aren't served yet.
func (p *ports) accept(g *Gateway) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		if !one.begun && !p.closed {
			one.begun = true
			g.running.Go(func() { g.serve(one) })
		}
	}
}

// pause lets nobody in any more; who connects waits in the system's queue.
func (p *ports) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		one.paused.Store(true)
		if at, is := one.listener.(*net.TCPListener); is {
			_ = at.SetDeadline(time.Now())
		}
	}
}

// resume lets clients in again.
func (p *ports) resume(g *Gateway) {
	p.mu.Lock()
	for _, one := range p.all {
		one.paused.Store(false)
		one.begun = false
		if at, is := one.listener.(*net.TCPListener); is {
			_ = at.SetDeadline(time.Time{})
		}
	}
	p.mu.Unlock()
	p.accept(g)
}

// listeners are those of all ports, with their names for a successor.
func (p *ports) listeners() (names []string, all []net.Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		names, all = append(names, clientPort+one.dest.broker), append(all, one.listener)
	}
	return names, all
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.all {
		_ = one.listener.Close()
	}
}

// translation are the addresses to tell instead of the source's own.
func (p *ports) translation() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]string{}
	for addr, one := range p.byAddr {
		out[addr] = net.JoinHostPort(one.advertise, strconv.Itoa(one.number()))
	}
	return out
}

// numbers are the ports by broker, to be the same after a restart.
func (p *ports) numbers() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := map[string]int{}
	for _, one := range p.all {
		out[one.dest.broker] = one.number()
	}
	return out
}
