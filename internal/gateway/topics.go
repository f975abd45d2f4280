package gateway

import (
	"cmp"
	"context"
	"errors"
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

// queuesOf are a cluster's topics with their queues in client order; of one behind a proxy, those of the named ones that it has. An
// error comes with what the brokers have that could be asked.
func queuesOf(ctx context.Context, c *rocketmq.Cluster, names []string) (map[string][]replicator.Queue, error) {
	topics, unread := configsOf(ctx, c, names)
	brokers, err := c.Brokers(ctx) // of a proxy, those that routes of topics have named
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
	return all, unread
}

// configsOf are the settings of topics by broker. A broker that can't be asked hides no other one's.
func configsOf(ctx context.Context, c *rocketmq.Cluster, names []string) (map[string]map[string]rocketmq.TopicConfig, error) {
	if c.Proxy() != "" {
		return c.TopicConfigs(ctx, names)
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]rocketmq.TopicConfig{}
	var unread []error
	for _, b := range brokers {
		configs, err := c.Client().TopicConfigs(ctx, b.Addr)
		if err != nil {
			unread = append(unread, fmt.Errorf("topics of broker %s: %w", b.Name, err))
			continue
		}
		all[b.Name] = configs
	}
	return all, errors.Join(unread...)
}

// look takes over what both sides have: brokers, topics, queues, and which of them are pairs. Of a broker that can't be asked, all stays as
// it was known, and no new pairs are made meanwhile: queues that aren't seen would be missing among them.
func (g *Gateway) look(ctx context.Context) error {
	if err := g.lookAtBrokers(ctx, source, g.source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	here, unread := queuesOf(ctx, g.source, nil)
	for name, queues := range here {
		t := g.topics.ensure(name)
		for _, q := range queues {
			t.ensure(q.Broker, q.ID+1)
		}
	}
	if unread != nil {
		unread = fmt.Errorf("source: %w", unread)
	}
	m := g.migration.Load()
	if m == nil {
		return unread
	}
	there, err := queuesOf(ctx, m.target, sortedKeys(here))
	if err != nil {
		unread = errors.Join(unread, fmt.Errorf("target: %w", err))
	}
	if err := g.lookAtBrokers(ctx, target, m.target); err != nil {
		return errors.Join(unread, fmt.Errorf("target: %w", err))
	}
	if unread != nil {
		return unread
	}
	registered, err := g.registered(ctx, m)
	if err != nil {
		return err
	}
	masters := [2][]string{sortedKeys(registered[source]), sortedKeys(registered[target])}
	for name, queues := range here {
		t := g.topics.ensure(name)
		if t.lacks(registered) {
			continue // its pairs are those of when all its queues could be seen
		}
		lanes, err := lanesOf(name, queues, there[name], masters, t.kept())
		problem := ""
		if err != nil {
			problem = err.Error()
		}
		t.pair(lanes, problem, g.inUse)
		t.beyond.Store(int64(len(there[name]) - len(lanes)))
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
