package gateway

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// topics are those that the source has. Clients can't add to them by asking.
type topics struct {
	mu     sync.RWMutex
	byName map[string]*topic
}

func (t *topics) get(name []byte) *topic {
	t.mu.RLock()
	defer t.mu.RUnlock()
	return t.byName[string(name)]
}

func (t *topics) ensure(name string) *topic {
	t.mu.Lock()
	defer t.mu.Unlock()
	one := t.byName[name]
	if one == nil {
		one = &topic{name: name, since: time.Now(), queues: map[string][]*queue{}}
		t.byName[name] = one
	}
	return one
}

func (t *topics) all() []*topic {
	t.mu.RLock()
	defer t.mu.RUnlock()
	all := make([]*topic, 0, len(t.byName))
	for _, name := range sortedKeys(t.byName) {
		all = append(all, t.byName[name])
	}
	return all
}

// groups are the consumer groups that were seen.
type groups struct {
	mu     sync.RWMutex
	byName map[string]*group
	room   room
}

// get is the group of that name, which is made when it is first asked for.
func (g *groups) get(name []byte) *group {
	g.mu.RLock()
	one := g.byName[string(name)]
	g.mu.RUnlock()
	if one != nil {
		return one
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if one = g.byName[string(name)]; one == nil {
		one = &group{name: string(name), views: map[*queue]*view{}, room: &g.room}
		g.byName[one.name] = one
	}
	return one
}

// known is the group of that name, if it was seen.
func (g *groups) known(name []byte) (one *group, is bool) {
	g.mu.RLock()
	defer g.mu.RUnlock()
	one, is = g.byName[string(name)]
	return one, is
}

func (g *groups) all() []*group {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make([]*group, 0, len(g.byName))
	for _, name := range sortedKeys(g.byName) {
		all = append(all, g.byName[name])
	}
	return all
}

// queuesOf are a cluster's topics with their queues in client order; of one behind a proxy, those of the named ones that it has.
func queuesOf(ctx context.Context, c *rocketmq.Cluster, names []string) (map[string][]replicator.Queue, error) {
	topics, err := c.TopicConfigs(ctx, names)
	if err != nil {
		return nil, err
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string][]replicator.Queue{}
	for _, b := range brokers {
		for name, config := range topics[b.Name] {
			if rocketmq.SystemTopic(name, b.Cluster, []string{b.Name}) {
				continue
			}
			for id := range max(config.ReadQueues, config.WriteQueues) {
				all[name] = append(all[name], replicator.Queue{Broker: b.Name, ID: id})
			}
		}
	}
	for _, queues := range all {
		slices.SortFunc(queues, func(a, b replicator.Queue) int {
			return cmp.Or(cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
		})
	}
	return all, nil
}

// look takes over what both sides have: brokers, topics, queues, and which of them are pairs.
func (g *Gateway) look(ctx context.Context) error {
	if err := g.lookAtBrokers(ctx, source, g.source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	here, err := queuesOf(ctx, g.source, nil)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	for name, queues := range here {
		t := g.topics.ensure(name)
		for _, q := range queues {
			t.ensure(q.Broker, q.ID+1)
		}
	}
	m := g.migration.Load()
	if m == nil {
		return nil
	}
	there, err := queuesOf(ctx, m.target, sortedKeys(here))
	if err != nil {
		return fmt.Errorf("target: %w", err)
	}
	if err := g.lookAtBrokers(ctx, target, m.target); err != nil {
		return fmt.Errorf("target: %w", err)
	}
	registered, err := g.registered(ctx, m)
	if err != nil {
		return err
	}
	for name, queues := range here {
		if g.topics.ensure(name).lacks(registered) {
			continue // its pairs are those of when all its queues could be seen
		}
		lanes, err := lanesOf(name, queues, there[name])
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		g.topics.ensure(name).pair(lanes, problem)
		g.topics.ensure(name).beyond.Store(int64(len(there[name]) - len(queues)))
	}
	return nil
}

// registered are the masters of both sides that name servers know now.
func (g *Gateway) registered(ctx context.Context, m *migration) (both [2]map[string]bool, err error) {
	for on, c := range [2]*rocketmq.Cluster{g.source, m.target} {
		brokers, err := c.Brokers(ctx)
		if err != nil {
			return both, fmt.Errorf("%s: %w", side(on), err)
		}
		both[on] = map[string]bool{}
		for _, b := range brokers {
			both[on][b.Name] = true
		}
	}
	return both, nil
}

// lanesOf pairs the queues of a topic. A group's own topics may have more queues on the target than are needed.
func lanesOf(topic string, here, there []replicator.Queue) ([]replicator.Lane, error) {
	if _, retry := rocketmq.RetryGroup(topic); retry {
		there = there[:min(len(here), len(there))]
	}
	return replicator.Pair(topic, here, there)
}
