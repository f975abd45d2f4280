package replica

import (
	"context"
	"sync"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// groupsMade remembers on which brokers the lanes' group is known to exist, so that a thousand
// lanes ask once per broker.
type groupsMade struct {
	mu   sync.Mutex
	made map[string]*groupMade
}

// groupMade is that of one broker. Its lock is held while the broker is asked, so that lanes of
// other brokers needn't wait.
type groupMade struct {
	asking sync.Mutex
	done   bool
}

func newGroupsMade() *groupsMade { return &groupsMade{made: map[string]*groupMade{}} }

func (g *groupsMade) of(broker string) *groupMade {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.made[broker] == nil {
		g.made[broker] = &groupMade{}
	}
	return g.made[broker]
}

// forget makes the next lane ask the broker again.
func (g *groupsMade) forget(broker string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.made, broker)
}

// once runs ask until it has succeeded for the broker.
func (g *groupsMade) once(broker string, ask func() error) error {
	group := g.of(broker)
	group.asking.Lock()
	defer group.asking.Unlock()
	if group.done {
		return nil
	}
	err := ask()
	group.done = err == nil
	return err
}

// EnsureGroup creates the group with the settings that brokers use when they create groups
// themselves. A user who may not create groups relies on somebody who has: pulls and commits fail
// if the group is missing.
func (b *Brokers) EnsureGroup(ctx context.Context, broker, group string) error {
	return b.groups.once(broker, func() error {
		_, err := at(ctx, b, broker, func(addr string) (done, error) { return done{}, b.makeGroup(ctx, addr, group) })
		if remoting.CodeOf(err) >= 0 && !remoting.Retryable(err) {
			return nil // refused
		}
		return err
	})
}

func (b *Brokers) makeGroup(ctx context.Context, addr, group string) error {
	if b.Proxy() != "" { // proxies don't list or create groups; a broker that may creates the group at a pull
		_, err := b.Client().Pull(ctx, addr, rocketmq.PullRequest{Group: group, Topic: PassTopic, Max: 1})
		return err
	}
	there, err := b.Client().Groups(ctx, addr)
	if _, found := there[group]; found || err != nil {
		return err
	}
	return b.Client().PutGroup(ctx, addr, rocketmq.NewGroup(group))
}
