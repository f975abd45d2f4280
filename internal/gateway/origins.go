package gateway

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
)

// Origins says which connections are this gateway's.
func (g *Gateway) Origins() control.Origins {
	all, hidden := g.sides.Origins.All()
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
	if u.dest.Side == routing.Target && u.session.gateway.sides.BehindProxy() {
		return
	}
	u.session.gateway.sides.Origins.Sampled(q, u.dest.Side, offset, u.conn)
}
