package rocketmq

import (
	"context"
	"hash/maphash"
	"sync"

	"rocketshift/internal/rocketmq/remoting"
)

// turns makes the writers of one thing on one server write one after another. The zero value is
// ready.
type turns struct {
	mu      sync.Mutex
	servers map[string]*[turnsPerServer]chan struct{}
}

// turnsPerServer is into how many parts the things of a server are divided: enough for the commits
// that lanes have in flight at once.
const turnsPerServer = 64

var turnSeed = maphash.MakeSeed()

// take waits for the turn; done gives it to the next one.
func (t *turns) take(ctx context.Context, addr, thing string) (done func(), err error) {
	turn := t.of(addr)[maphash.String(turnSeed, thing)%turnsPerServer]
	select {
	case turn <- struct{}{}:
		return func() { <-turn }, nil
	case <-ctx.Done():
		return nil, &remoting.DialError{Server: addr, Err: context.Cause(ctx)} // it was never sent
	}
}

func (t *turns) of(addr string) *[turnsPerServer]chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.servers == nil {
		t.servers = map[string]*[turnsPerServer]chan struct{}{}
	}
	all := t.servers[addr]
	if all == nil {
		all = new([turnsPerServer]chan struct{})
		for i := range all {
			all[i] = make(chan struct{}, 1)
		}
		t.servers[addr] = all
	}
	return all
}
