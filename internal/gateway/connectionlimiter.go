package gateway

import (
	"container/list"
	"net"
	"net/netip"
	"sync"

	"rocketshift/internal/gateway/memory"
)

// connectionLimiter counts clients' connections, so that the process runs out of neither
// descriptors nor memory: without descriptors it couldn't reach brokers for those that are in. When
// there are too many, whoever has waited longest without having sent a whole frame has to go. Where
// all others have, it is whoever came last from the address that most connections come from.
type connectionLimiter struct {
	full   rarely
	budget *memory.Budget // that connections are counted in

	mu     sync.Mutex
	most   int // descriptors that clients may take; 0: as many as they like
	taken  int
	silent list.List // of guests that haven't sent a frame yet, oldest first
	houses map[netip.Prefix]*house
}

const (
	// perClient is how many descriptors a client's connection takes: its own, and those to a server
	// of each side.
	perClient = 3
	// keptBack is which part of the process's descriptors is for anything else, in percent.
	keptBack = 10
	// perDescriptor is what a connection takes by itself, in bytes: two stacks of 8 KiB, a buffer
	// of as much, a frame's fields, and the kernel's and the runtime's records of it
	// (TestIdleConnectionsKeepNothingOfTheirLongHeaders).
	perDescriptor = 24 << 10
)

// house is an address that connections come from.
type house struct {
	at       netip.Prefix
	taken    int
	speaking list.List // of its guests that have sent a frame, oldest first
}

// limitedConnection is a connection that is counted.
type limitedConnection struct {
	crowd *connectionLimiter
	house *house
	conn  net.Conn
	takes int           // descriptors; 0 once it was counted out
	place *list.Element // among those that are silent, or speak in its house
	spoke bool
	more  int // that TLS takes: buffers of a record of 16 KiB each way
}

// enter counts a connection in, and out those that have to go for it, if any: it may be one of
// them.
func (c *connectionLimiter) enter(conn net.Conn) (g *limitedConnection, goes []*limitedConnection) {
	c.mu.Lock()
	defer c.mu.Unlock()
	at := memory.PrefixOf(addressOf(conn))
	h := c.houses[at]
	if h == nil {
		if c.houses == nil {
			c.houses = map[netip.Prefix]*house{}
		}
		h = &house{at: at}
		c.houses[at] = h
	}
	g = &limitedConnection{crowd: c, house: h, conn: conn}
	g.place = c.silent.PushBack(g)
	g.take(1)
	return g, c.makeRoom(g)
}

// makeRoom counts those out that have to go for a new one. Callers hold c.mu.
func (c *connectionLimiter) makeRoom(comes *limitedConnection) (all []*limitedConnection) {
	for c.most > 0 && c.taken > c.most && comes.takes > 0 {
		goes := c.silent.Front()
		if goes == nil || goes.Value == comes {
			goes = c.last(comes)
		}
		one := goes.Value.(*limitedConnection) // there are no others
		one.out()
		all = append(all, one)
	}
	return all
}

// last is who came last from the address that takes most, unless that is the new one's own: then it
// is the new one. Callers hold c.mu.
func (c *connectionLimiter) last(comes *limitedConnection) *list.Element {
	var most *house
	for _, h := range c.houses {
		if h.speaking.Len() > 0 && (most == nil || h.taken > most.taken) {
			most = h
		}
	}
	if most == nil || most.taken <= comes.house.taken+perClient { // to let another one go would change nothing
		return comes.place
	}
	return most.speaking.Back()
}

// limit sets how many descriptors clients may take.
func (c *connectionLimiter) limit(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = most
}

// speaks takes note that a connection has sent a frame, and counts those out that have to go for
// it: it may be one of them.
func (g *limitedConnection) speaks() []*limitedConnection {
	c := g.crowd
	c.mu.Lock()
	defer c.mu.Unlock()
	if g.takes == 0 || g.spoke {
		return nil
	}
	c.silent.Remove(g.place)
	g.spoke, g.place = true, g.house.speaking.PushBack(g)
	g.take(perClient + g.more)
	return c.makeRoom(g)
}

// secures takes note that a connection is one over TLS, and counts those out that have to go for
// it.
func (g *limitedConnection) secures() []*limitedConnection {
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
func (g *limitedConnection) take(n int) {
	more := n - g.takes
	g.takes = n
	g.crowd.taken += more
	g.house.taken += more
	g.crowd.budget.Fix(int64(more) * perDescriptor)
}

// leave counts a connection out.
func (g *limitedConnection) leave() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.out()
}

// out counts a connection out. Callers hold the limiter's lock.
func (g *limitedConnection) out() {
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
