package gateway

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

const (
	// dialTimeout bounds how long a client waits for an upstream connection.
	dialTimeout = 2 * time.Second
	// dialPause is between two tries to reach a silent server.
	dialPause = 200 * time.Millisecond
)

// gaveNoAnswer tells a server that is silent from one that refuses: nobody waits for that.
func gaveNoAnswer(err error) bool {
	var network net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &network) && network.Timeout()
}

func (g *Gateway) dial(to routing.Dest) (net.Conn, error) {
	if why := g.sides.Reach.Why(to); why != nil {
		return nil, why
	}
	conn, err := g.dialNow(to)
	if gaveNoAnswer(err) && g.sides.Reach.Lost(to, err) {
		g.running.Go(func() { g.dialAgain(to) })
	}
	return conn, err
}

// dialAgain tries a silent server until it answers, be it by a refusal.
func (g *Gateway) dialAgain(to routing.Dest) {
	defer g.sides.Reach.Found(to)
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
	dial := g.sides.Dials[to.Side]
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
