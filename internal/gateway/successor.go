package gateway

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/sleep"
)

// handover is what passes to the next process, or has come from the one before.
type handover struct {
	succession succession
	keeping    keeping
	folder     io.Closer // the lock of the folder that it lies in
}

// A planned restart isn't seen by clients: the process that serves (the predecessor) passes
// everything to the one that is to serve (the successor), which was started with the same folder.
// Connections pass with what was read of them and not used; what clients have asked is answered
// before, and their long polls are answered so that they ask again. Connections over TLS can't
// pass, as their keys are in the predecessor's memory: these clients connect again, and stay
// registered meanwhile.
//
//	predecessor              successor
//	            <- connects
//	listeners, lock ->                    no round begins any more; the state on disk is final
//	                          reads the state, looks at both clusters
//	            <- goOn
//	sessions ->                           nothing is read any more, of clients or servers
//	            <- goOn                   everything is taken
//	yours ->                              from here on the predecessor does nothing any more
//
// Until then the predecessor can go on as before, and does if the successor ends, fails, or takes
// too long.

const (
	// quietTime bounds how long requests may take to be answered before connections pass. Who isn't
	// answered by then has lost the answer, as with any broker's restart.
	quietTime = time.Second
	// passTime bounds the whole, without the successor's look at the clusters.
	passTime = 5 * time.Second
	// successorLook bounds how long the successor may look at both clusters, during which nothing
	// can be moved.
	successorLook = 30 * time.Second
	// passedTogether is how many sessions are stopped at the same time.
	passedTogether = 256
)

// passedServer is a session's connection to a server.
type passedServer struct {
	Side       string `json:"side"`
	Broker     string `json:"broker"`
	Heartbeats bool   `json:"heartbeats,omitempty"` // the client's heartbeats alone go over it
	Rest       []byte `json:"rest,omitempty"`       // what was read of it and not used
}

// passedSession is a session on its way to the successor.
type passedSession struct {
	Broker   string         `json:"broker"` // to whose port the client is connected
	Address  string         `json:"address"`
	Absent   bool           `json:"absent,omitempty"` // its own connection doesn't pass
	Rest     []byte         `json:"rest,omitempty"`
	Frames   int64          `json:"frames"`
	Beat     []byte         `json:"beat,omitempty"`
	LastPush int32          `json:"lastPush"`
	VIP      bool           `json:"vip,omitempty"`    // it has come by a VIP channel
	Claims   []string       `json:"claims,omitempty"` // target brokers that the client's heartbeats go to from here
	Servers  []passedServer `json:"servers,omitempty"`
	// Opaque is the last number of a request that went to a server, in the message that ends the
	// sessions: brokers may still answer requests of those before.
	Opaque uint32 `json:"opaque,omitempty"`
	// Settled means, in the same message, that every send that the predecessor knows of has its
	// answer: none can come to a broker later.
	Settled bool `json:"settled,omitempty"`
}

// clientPort begins the names of listeners for clients.
const clientPort = "port "

// frozen is the round that this gateway takes part in while it passes everything on: no other one
// begins.
const frozen = "restart of the gateway"

// freeze lets no round begin until it is thawed.
func (g *Gateway) freeze(ctx context.Context) error {
	for {
		now, _ := g.rounds.Occupy(frozen, g.config.Name)
		if now == "" {
			return nil
		}
		if err := sleep.For(ctx, replicas.ProofPause); err != nil {
			return fmt.Errorf("round %s hasn't ended: %w", now, err)
		}
	}
}

func (g *Gateway) thaw() { g.rounds.Vacate(frozen) }

// Drain lets no client in any more, waits until those that are in have their answers, for a second
// at most, and ends their connections. Their registrations are kept for the next process. It does
// nothing where another process has taken everything.
func (g *Gateway) Drain() {
	select {
	case <-g.handover.succession.done:
		return
	default:
	}
	ctx, over := context.WithTimeout(g.ctx, quietTime)
	defer over()
	if err := g.freeze(ctx); err != nil {
		g.log.Warn("it ends in the middle of a round", "cause", err)
	}
	g.state.Freeze()
	for _, p := range g.stopAll() {
		for _, up := range p.ups { // whose readers are stopped
			_ = up.conn.Close()
		}
		p.session.leave()
	}
}

// succession is how a gateway passes everything on.
type succession struct {
	done chan struct{} // closed when a successor has taken everything
}

// Succeeded is closed when another process has taken everything: then this one does nothing any
// more, and is to end.
func (g *Gateway) Succeeded() <-chan struct{} { return g.handover.succession.done }

// short is a path to a socket that is short enough for its address.
func short(path string) string {
	const most = 100 // of 108, sun_path in unix(7)
	if len(path) <= most {
		return path
	}
	if here, err := os.Getwd(); err == nil {
		if relative, err := filepath.Rel(here, path); err == nil && len(relative) <= most {
			return relative
		}
	}
	return path
}
