package connections

import (
	"container/list"
	"net"
	"net/netip"
	"sync"

	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/memory"
)

// Limiter counts clients' connections, so that the process runs out of neither
// descriptors nor memory: without descriptors it couldn't reach brokers for those that are in. When
// there are too many, whoever has waited longest without having sent a whole frame has to go. Where
// all others have, it is whoever came last from the address that most connections come from.
type Limiter struct {
	Full   logs.Rarely
	Budget *memory.Budget // that connections are counted in

	mu     sync.Mutex
	Most   int // descriptors that clients may take; 0: as many as they like
	Taken  int
	silent list.List // of guests that haven't sent a frame yet, oldest first
	houses map[netip.Prefix]*house
}

const (
	// PerClient is how many descriptors a client's connection takes: its own, and those to a server
	// of each side.
	PerClient = 3
	// KeptBack is which part of the process's descriptors is for anything else, in percent.
	KeptBack = 10
	// PerDescriptor is what a connection takes by itself, in bytes: two stacks of 8 KiB, a buffer
	// of as much, a frame's fields, and the kernel's and the runtime's records of it
	// (TestIdleConnectionsKeepNothingOfTheirLongHeaders).
	PerDescriptor = 24 << 10
)

// house is an address that connections come from.
type house struct {
	at       netip.Prefix
	taken    int
	speaking list.List // of its guests that have sent a frame, oldest first
}

// Limited is a connection that is counted.
type Limited struct {
	crowd *Limiter
	house *house
	Conn  net.Conn
	takes int           // descriptors; 0 once it was counted out
	place *list.Element // among those that are silent, or speak in its house
	spoke bool
	more  int // that TLS takes: buffers of a record of 16 KiB each way
}

// Enter counts a connection in, and out those that have to go for it, if any: it may be one of
// them.
func (c *Limiter) Enter(conn net.Conn) (g *Limited, goes []*Limited) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := memory.PrefixOf(AddressOf(conn))
	h := c.houses[at]
	if h == nil {
		if c.houses == nil {
			c.houses = map[netip.Prefix]*house{}
		}
		h = &house{at: at}
		c.houses[at] = h
	}
	g = &Limited{crowd: c, house: h, Conn: conn}
	g.place = c.silent.PushBack(g)
	g.take(1)
	return g, c.makeRoom(g)
}

// makeRoom counts those out that have to go for a new one. Callers hold c.mu.
func (c *Limiter) makeRoom(comes *Limited) (all []*Limited) {
	for c.Most > 0 && c.Taken > c.Most && comes.takes > 0 {
		goes := c.silent.Front()
		if goes == nil || goes.Value == comes {
			goes = c.last(comes)
		}
		one := goes.Value.(*Limited) // there are no others
		one.out()
		all = append(all, one)
	}
	return all
}

// last is who came last from the address that takes most, unless that is the new one's own: then it
// is the new one. Callers hold c.mu.
func (c *Limiter) last(comes *Limited) *list.Element {
	var most *house
	for _, h := range c.houses {
		if h.speaking.Len() > 0 && (most == nil || h.taken > most.taken) {
			most = h
		}
	}
	if most == nil || most.taken <= comes.house.taken+PerClient { // to let another one go would change nothing
		return comes.place
	}
	return most.speaking.Back()
}

// Limit sets how many descriptors clients may take.
func (c *Limiter) Limit(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Most = most
}

// Speaks takes note that a connection has sent a frame, and counts those out that have to go for
// it: it may be one of them.
func (g *Limited) Speaks() []*Limited {
	c := g.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.takes == 0 || g.spoke {
		return nil
	}
	c.silent.Remove(g.place)
	g.spoke, g.place = true, g.house.speaking.PushBack(g)
	g.take(PerClient + g.more)
	return c.makeRoom(g)
}

// Secures takes note that a connection is one over TLS, and counts those out that have to go for
// it.
func (g *Limited) Secures() []*Limited {
	c := g.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.takes == 0 {
		return nil
	}
	g.more = 1
	g.take(g.takes + g.more)
	return c.makeRoom(g)
}

// take counts what a connection takes. Callers hold the limiter's lock.
func (g *Limited) take(n int) {
	more := n - g.takes
	g.takes = n
	g.crowd.Taken += more
	g.house.taken += more
	g.crowd.Budget.Fix(int64(more) * PerDescriptor)
}

// Leave counts a connection out.
func (g *Limited) Leave() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.out()
}

// out counts a connection out. Callers hold the limiter's lock.
func (g *Limited) out() {
	if g.takes == 0 {
		return
	}
	if g.spoke {
		g.house.speaking.Remove(g.place)
	} else {
		g.crowd.silent.Remove(g.place)
	}
	g.take(0)
	if g.house.taken == 0 {
		delete(g.crowd.houses, g.house.at)
	}
}
