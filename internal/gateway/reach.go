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

func (ss *sessions) dial(to routing.Dest) (net.Conn, error) {
	if why := ss.sides.Reach.Why(to); why != nil {
		return nil, why
	}
	conn, err := ss.dialNow(to)
	if gaveNoAnswer(err) && ss.sides.Reach.Lost(to, err) {
		ss.running.Go(func() { ss.dialAgain(to) })
	}
	return conn, err
}

// dialAgain tries a silent server until it answers, be it by a refusal.
func (ss *sessions) dialAgain(to routing.Dest) {
	defer ss.sides.Reach.Found(to)
	for sleep.For(ss.ctx, dialPause) == nil {
		conn, err := ss.dialNow(to)
		if err == nil {
			_ = conn.Close()
		}
		if !gaveNoAnswer(err) {
			return
		}
	}
}

func (ss *sessions) dialNow(to routing.Dest) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ss.ctx, dialTimeout)
	defer cancel()
	dial := ss.sides.Dials[to.Side]
	if dial == nil {
		dial = connections.InPlain
	}
	var failed []error
	for _, addr := range ss.addresses(to) {
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
