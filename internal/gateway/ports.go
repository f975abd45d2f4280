package gateway

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/routing"
)

// port is where clients find what stands for a server of the source.
type port struct {
	routing.Dest
	broker    []byte // the name of the source broker, without a slave's id
	names     bool   // it stands for the name servers
	listener  net.Listener
	vip       net.Listener   // its VIP channel; nil if it has none
	host      netip.AddrPort // what clients are told, if that is an IP address
	begun     map[net.Listener]bool
	paused    atomic.Bool // nobody is accepted
	advertise string

	vipProblem string // why there is no VIP channel
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

func (p *ports) open(g *sessions, kept map[string]int) error {
	p.kept = kept
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.listen(g, routing.NameServers, g.config.NamesPort)
}

// listen opens a port: of a number that is given, or was used before, or any.
func (p *ports) listen(g *sessions, to routing.Dest, number int) error {
	if number == 0 {
		number = p.kept[to.Broker]
	}
	listener, err := p.passed[to.Broker], error(nil)
	var vip net.Listener
	switch {
	case listener != nil:
	case number == 0 && to != routing.NameServers:
		listener, vip, err = p.pick(g.config.Listen)
	default:
		at := net.JoinHostPort(g.config.Listen, strconv.Itoa(number))
		listener, err = net.Listen("tcp", at)
	}
	if err != nil {
		return fmt.Errorf("gateway: the port that stands for %s: %w", to.Broker, err)
	}
	name, _, _ := strings.Cut(to.Broker, "#")
	one := &port{
		Dest: to, broker: []byte(name), names: to == routing.NameServers, listener: listener, vip: vip,
		begun: map[net.Listener]bool{}, advertise: g.config.Advertise,
	}
	if ip, err := netip.ParseAddr(g.config.Advertise); err == nil {
		one.host = netip.AddrPortFrom(ip, uint16(one.number()))
	}
	p.all = append(p.all, one)
	return nil
}

// ensure opens ports for source brokers that have none.
func (p *ports) ensure(g *sessions, brokers map[string][]string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return net.ErrClosed
	}
	known := map[string]*port{}
	for _, one := range p.all {
		known[one.Dest.Broker] = one
	}
	names := routing.SortedKeys(brokers)
	slices.SortStableFunc(names, func(a, b string) int { // others are picked after those are taken
		return cmp.Compare(-p.wanted(g, a), -p.wanted(g, b))
	})
	for _, name := range names {
		if known[name] == nil {
			if err := p.listen(g, routing.Dest{Side: routing.Source, Broker: name}, g.config.Ports[name]); err != nil {
				return err
			}
			known[name] = p.all[len(p.all)-1]
		}
		for _, addr := range brokers[name] {
			p.byAddr[addr] = known[name]
		}
	}
	p.openVIPs(g)
	return nil
}

// wanted is the number that a broker's port is to have; 0 for any.
func (p *ports) wanted(g *sessions, broker string) int {
	return cmp.Or(g.config.Ports[broker], p.kept[broker])
}

// of is the port that stands for a broker of the source; nil if there is none.
func (p *ports) of(broker string) *port {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		if one.Dest.Broker == broker {
			return one
		}
	}
	return nil
}

// accept begins to serve the ports that aren't served yet.
func (p *ports) accept(g *sessions) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		for _, l := range one.listeners() {
			if !one.begun[l] && !p.closed {
				one.begun[l] = true
				vip := l == one.vip
				g.running.Go(func() { g.serve(one, l, vip) })
			}
		}
	}
}

// pause lets nobody in any more; who connects waits in the system's queue.
func (p *ports) pause() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		one.paused.Store(true)
		one.setDeadline(time.Now())
	}
}

// resume lets clients in again.
func (p *ports) resume(g *sessions) {
	p.mu.Lock()
	for _, one := range p.all {
		one.paused.Store(false)
		clear(one.begun)
		one.setDeadline(time.Time{})
	}
	p.mu.Unlock()
	p.accept(g)
}

// listeners are those of all ports, with their names for a successor.
func (p *ports) listeners() (names []string, all []net.Listener) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, one := range p.all {
		names, all = append(names, clientPort+one.Dest.Broker), append(all, one.listener)
		if one.vip != nil {
			names = append(names, clientPort+vipOf(one.Dest.Broker))
			all = append(all, one.vip)
		}
	}
	return names, all
}

func (p *ports) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, one := range p.all {
		for _, l := range one.listeners() {
			_ = l.Close()
		}
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
		out[one.Dest.Broker] = one.number()
	}
	return out
}
