package replicas

import (
	"context"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

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

// sample is a message that a broker has acknowledged to the gateway.
type sample struct {
	queue  *routing.Queue
	side   routing.Side
	offset int64
	from   netip.AddrPort
}

// Begin takes note of a connection to a broker.
func (o *origins) Begin(conn net.Conn) { o.count(conn, 1) }

// End takes note that a connection has ended.
func (o *origins) End(conn net.Conn) { o.count(conn, -1) }

func (o *origins) count(conn net.Conn, more int) {
	from := localOf(conn)
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.by == nil {
		o.by = map[netip.AddrPort]origin{}
	}
	o.by[from] = origin{o.by[from].live + more, time.Now()}
}

// All are the addresses of this moment.
func (o *origins) All() (all []netip.AddrPort, hidden bool) {
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
	return Unmapped(from)
}

// Unmapped is an address as brokers note it.
func Unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// Sampled keeps a message that a broker has acknowledged over a connection, if one is wanted.
func (o *origins) Sampled(q *routing.Queue, on routing.Side, offset int64, by net.Conn) {
	if o.wanted.Load() && o.wanted.CompareAndSwap(true, false) {
		o.mu.Lock()
		defer o.mu.Unlock()
		o.sample = &sample{q, on, offset, localOf(by)}
	}
}

// CheckOrigins looks at a message of the gateway's own: between it and the brokers addresses may be
// translated.
func (bs *Sides) CheckOrigins(ctx context.Context, l Lanes) error {
	bs.Origins.mu.Lock()
	one := bs.Origins.sample
	bs.Origins.sample = nil
	bs.Origins.mu.Unlock()
	bs.Origins.wanted.Store(true)
	if one == nil {
		return nil
	}
	found, err := l.Read(ctx, one.queue, one.side, one.offset, 1)
	if err != nil || len(found) == 0 || found[0].QueueOffset != one.offset {
		return err
	}
	bs.Origins.mu.Lock()
	bs.Origins.hidden = Unmapped(found[0].BornHost) != one.from
	bs.Origins.mu.Unlock()
	return nil
}

// originLife is for how long a connection that has ended is remembered: longer than messages are
// looked at.
const originLife = 5 * time.Minute
