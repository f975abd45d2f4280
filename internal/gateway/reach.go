package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

// reach knows the servers to which connections get no answer. A request for one fails at once then:
// while a client's connection waits for that, all else that it has asked, of servers that are well,
// waits too.
type reach struct {
	mu     sync.Mutex
	silent map[routing.Dest]error // why they count as such
}

const (
	// dialTimeout bounds how long a client waits for an upstream connection.
	dialTimeout = 2 * time.Second
	// dialPause is between two tries to reach a silent server.
	dialPause = 200 * time.Millisecond
)

func (r *reach) why(to routing.Dest) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.silent[to]
}

// lost notes a silent server, and reports whether it was none before.
func (r *reach) lost(to routing.Dest, why error) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.silent[to] != nil {
		return false
	}
	if r.silent == nil {
		r.silent = map[routing.Dest]error{}
	}
	r.silent[to] = why
	return true
}

func (r *reach) found(to routing.Dest) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.silent, to)
}

// gaveNoAnswer tells a server that is silent from one that refuses: nobody waits for that.
func gaveNoAnswer(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

func (g *Gateway) dial(to routing.Dest) (net.Conn, error) {
	if why := g.sides.reach.why(to); why != nil {
		return nil, why
	}
	conn, err := g.dialNow(to)
	if gaveNoAnswer(err) && g.sides.reach.lost(to, err) {
		g.running.Go(func() { g.dialAgain(to) })
	}
	return conn, err
}

// dialAgain tries a silent server until it answers, be it by a refusal.
func (g *Gateway) dialAgain(to routing.Dest) {
	defer g.sides.reach.found(to)
	for sleep.For(g.ctx, dialPause) == nil {
		conn, err := g.dialNow(to)
		if err == nil {
			_ = conn.Close()
		}
		if !gaveNoAnswer(err) {
			return
		}
	}
}

func (g *Gateway) dialNow(to routing.Dest) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(g.ctx, dialTimeout)
	defer cancel()
	dial := g.sides.dials[to.Side]
	if dial == nil {
		dial = connections.InPlain
	}
	var failed []error
	for _, addr := range g.addresses(to) {
		conn, err := dial(ctx, addr)
		if err == nil {
			return conn, nil
		}
		failed = append(failed, err)
	}
	if len(failed) == 0 {
		return nil, fmt.Errorf("no %s broker %s is registered", to.Side, to.Broker)
	}
	return nil, errors.Join(failed...)
}
