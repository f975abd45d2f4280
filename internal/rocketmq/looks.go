package rocketmq

import (
	"context"
	"maps"
	"sync"
	"time"
)

// runtimeLife is how long the runtime statistics of a broker are used again. They are asked for
// every five seconds, and a broker of 5.3.3 counts all slots of its timer for each answer, which
// takes a processor some 50 ms.
const runtimeLife = 4 * time.Second

// looks are the last runtime statistics of brokers, by address.
type looks struct {
	mu sync.Mutex
	of map[string]*look
}

type look struct {
	mu    sync.Mutex // held while the broker is asked: callers that come meanwhile get the same answer
	table map[string]string
	at    time.Time
}

// RuntimeAt is Client.Runtime of one of the cluster's brokers. All callers within four seconds get
// the same answer. Errors aren't kept.
func (c *Cluster) RuntimeAt(ctx context.Context, addr string) (map[string]string, error) {
	c.looks.mu.Lock()
	if c.looks.of == nil {
		c.looks.of = map[string]*look{}
	}
	l := c.looks.of[addr]
	if l == nil {
		l = &look{}
		c.looks.of[addr] = l
	}
	c.looks.mu.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.table != nil && time.Since(l.at) < runtimeLife {
		return maps.Clone(l.table), nil
	}
	if err := ctx.Err(); err != nil { // it waited for too long
		return nil, err
	}
	table, err := c.client.Runtime(ctx, addr)
	if err != nil {
		return nil, err
	}
	l.table, l.at = table, time.Now()
	return maps.Clone(table), nil
}
