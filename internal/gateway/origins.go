package gateway

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
)

// origins are the addresses that a gateway's own connections to brokers come from. Brokers note
// them in messages, as where these were born.
type origins struct {
	wanted atomic.Bool // a message that shows which addresses brokers see

	mu     sync.Mutex
	by     map[netip.AddrPort]origin
	sample *sample
	hidden bool // brokers see other addresses
}

// origin is an address. Connections to several brokers may share one.
type origin struct {
	live  int
	ended time.Time // of the last one
}

// originLife is for how long a connection that has ended is remembered: longer than messages are
// looked at.
const originLife = 5 * time.Minute

// sample is a message that a broker has acknowledged to the gateway.
type sample struct {
	queue  *routing.Queue
	side   routing.Side
	offset int64
	from   netip.AddrPort
}

func (o *origins) begin(conn net.Conn) { o.count(conn, 1) }

func (o *origins) end(conn net.Conn) { o.count(conn, -1) }

func (o *origins) count(conn net.Conn, more int) {
	from := localOf(conn)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.by == nil {
		o.by = map[netip.AddrPort]origin{}
	}
	o.by[from] = origin{o.by[from].live + more, time.Now()}
}

// all are the addresses of this moment.
func (o *origins) all() (all []netip.AddrPort, hidden bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for from, is := range o.by {
		if is.live <= 0 && time.Since(is.ended) > originLife {
			delete(o.by, from)
			continue
		}
		all = append(all, from)
	}
	return all, o.hidden
}

// localOf is a connection's own address; the zero one if it has none.
func localOf(conn net.Conn) netip.AddrPort {
	from, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}
	}
	return unmapped(from)
}

// unmapped is an address as brokers note it.
func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// Origins says which connections are this gateway's.
func (g *Gateway) Origins() control.Origins {
	all, hidden := g.sides.origins.all()
	return control.Origins{Addresses: all, Since: g.serving, Now: time.Now(), Hidden: hidden}
}

// originsOfAll are the addresses of all gateways of the migration. What was stored before since may
// have come through connections that nobody knows.
func (g *Gateway) originsOfAll(ctx context.Context) (known map[netip.AddrPort]bool, since time.Time, err error) {
	known = map[netip.AddrPort]bool{}
	add := func(name string, is control.Origins) error {
		if is.Hidden {
			return fmt.Errorf(
				"brokers see the connections of gateway %s at other addresses than it has: who writes past "+
					"the gateways can't be told",
				name,
			)
		}
		for _, addr := range is.Addresses {
			known[addr] = true
		}
		begun := is.Since
		if !is.Now.IsZero() {
			begun = begun.Add(time.Since(is.Now)) // by this process's clock
		}
		if begun.After(since) {
			since = begun
		}
		return nil
	}
	if err = add(g.config.Name, g.Origins()); err != nil {
		return known, since, err
	}
	err = g.askPeers(ctx, func(ctx context.Context, p control.Peer, c *control.Client) error {
		is, err := c.Origins(ctx)
		if err != nil {
			return fmt.Errorf("which connections are those of gateway %s isn't known: %w", p.Name, err)
		}
		return add(p.Name, is)
	})
	return known, since, err
}

// sampled keeps a message that a broker has acknowledged, if one is wanted.
func (u *upstream) sampled(q *routing.Queue, offset int64) {
	if u.dest.Side == routing.Target && u.session.gateway.sides.behindProxy() {
		return
	}
	if u.session.gateway.sides.origins.wanted.Load() &&
		u.session.gateway.sides.origins.wanted.CompareAndSwap(true, false) {
		u.session.gateway.sides.origins.mu.Lock()
		u.session.gateway.sides.origins.sample = &sample{q, u.dest.Side, offset, localOf(u.conn)}
		u.session.gateway.sides.origins.mu.Unlock()
	}
}

// checkOrigins looks at a message of the gateway's own: between it and the brokers addresses may be
// translated.
func (bs *bothSides) checkOrigins(ctx context.Context, l lanes) error {
	bs.origins.mu.Lock()
	one := bs.origins.sample
	bs.origins.sample = nil
	bs.origins.mu.Unlock()
	bs.origins.wanted.Store(true)
	if one == nil {
		return nil
	}
	found, err := l.read(ctx, one.queue, one.side, one.offset, 1)
	if err != nil || len(found) == 0 || found[0].QueueOffset != one.offset {
		return err
	}
	bs.origins.mu.Lock()
	bs.origins.hidden = unmapped(found[0].BornHost) != one.from
	bs.origins.mu.Unlock()
	return nil
}
