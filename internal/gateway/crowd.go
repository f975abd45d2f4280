package gateway

import (
	"container/list"
	"net"
	"sync"
)

// crowd counts clients' connections, so that the process doesn't run out of descriptors: then it couldn't reach brokers for those that are in. When there are too many,
// whoever has waited longest without having sent a whole frame has to go.
type crowd struct {
	most int // descriptors that clients may take; 0: as many as they like
	full rarely

	mu     sync.Mutex
	taken  int
	silent list.List // of guests that haven't sent a frame yet, oldest first
}

const (
	// perClient is how many descriptors a client's connection takes: its own, and those to a server of each side.
	perClient = 3
	// keptBack is which part of the process's descriptors is for anything else, in percent.
	keptBack = 10
)

// guest is a connection that is counted.
type guest struct {
	crowd  *crowd
	conn   net.Conn
	takes  int           // descriptors; 0 once it was counted out
	silent *list.Element // nil once it has sent a frame
}

// enter counts a connection in, and out the one that has to go for it, if any: it may be the same.
func (c *crowd) enter(conn net.Conn) (g, goes *guest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	g = &guest{crowd: c, conn: conn, takes: 1}
	g.silent = c.silent.PushBack(g)
	c.taken++
	if c.most > 0 && c.taken > c.most {
		goes = c.silent.Front().Value.(*guest)
		goes.out()
	}
	return g, goes
}

// limit sets how many descriptors clients may take.
func (c *crowd) limit(most int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.most = most
}

// speaks takes note that a connection has sent a frame.
func (g *guest) speaks() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	if g.takes == 0 || g.silent == nil {
		return
	}
	g.crowd.silent.Remove(g.silent)
	g.silent = nil
	g.crowd.taken += perClient - g.takes
	g.takes = perClient
}

// leave counts a connection out.
func (g *guest) leave() {
	g.crowd.mu.Lock()
	defer g.crowd.mu.Unlock()
	g.out()
}

// out counts a connection out. Callers hold the door's lock.
func (g *guest) out() {
	if g.silent != nil {
		g.crowd.silent.Remove(g.silent)
		g.silent = nil
	}
	g.crowd.taken -= g.takes
	g.takes = 0
}
