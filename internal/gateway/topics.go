package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/memory"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// topics are those that the source has. Clients can't add to them by asking.
type topics struct {
	most   int64          // queues; 0 means mostQueues
	budget *memory.Budget // that queues are counted in
	made   atomic.Int64   // queues

	mu     sync.RWMutex
	byName map[string]*topic
}

const (

	// mostQueues is how many all topics may have: 20,000 topics of 100. Together these take 800 MB
	// here.
	mostQueues = 2_000_000
	// perQueue is what a queue takes, in bytes: itself, its lane, and its part of what is read anew
	// at each look.
	perQueue = 400
)

// counts takes note of queues that were made.
func (t *topics) counts(queues int) {
	t.made.Add(int64(queues))
	t.budget.Fix(int64(queues) * perQueue)
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
		one = &topic{name: name, since: time.Now(), queues: map[string][]*queue{}, of: t}
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
	room   viewQuota
}

// get is the group of that name, which is made when it is first asked for.
func (g *groups) get(name []byte) *group {
	now := time.Now().UnixNano()
	g.mu.RLock()
	one := g.byName[string(name)]
	if one != nil {
		one.asked.Store(now) // so that it isn't forgotten before it has a view
	}
	g.mu.RUnlock()
	if one != nil {
		return one
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if one = g.byName[string(name)]; one == nil {
		one = &group{name: string(name), views: map[*queue]*view{}, quota: &g.room}
		g.byName[one.name] = one
	}
	one.asked.Store(now)
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

// layout is what topics a cluster has.
type layout struct {
	queues map[string][]lane.Queue // in client order
	vast   map[string]int64        // how many queues those have that are too many, which aren't listed
}

// queuesOf are a cluster's topics; of one behind a proxy, those of the named ones that it has. At
// most so many queues are listed. An error comes with what the brokers have that could be asked.
func queuesOf(ctx context.Context, c *rocketmq.Cluster, names []string, most int64) (layout, error) {
	topics, unread := configsOf(ctx, c, names)
	brokers, err := c.Brokers(ctx) // of a proxy, those that routes of topics have named
	if err != nil {
		return layout{}, err
	}
	known := map[string]map[string]rocketmq.TopicConfig{}
	for _, b := range brokers {
		known[b.Name] = topics[b.Name]
		maps.DeleteFunc(known[b.Name], func(name string, _ rocketmq.TopicConfig) bool {
			return rocketmq.SystemTopic(name, b.Cluster, []string{b.Name})
		})
	}
	return lay(known, most), unread
}

// lay lists the queues of topics, which are given by broker.
func lay(topics map[string]map[string]rocketmq.TopicConfig, most int64) layout {
	counts := map[string]int64{}
	for _, of := range topics {
		for name, config := range of {
			counts[name] += int64(config.Queues())
		}
	}
	is := layout{map[string][]lane.Queue{}, map[string]int64{}}
	for _, name := range sortedKeys(counts) {
		if counts[name] > min(routing.MostOfTopic, most) {
			is.vast[name] = counts[name]
			continue
		}
		most -= counts[name]
		for _, broker := range sortedKeys(topics) {
			config := topics[broker][name]
			for id := range config.Queues() {
				is.queues[name] = append(is.queues[name], lane.Queue{Broker: broker, ID: id})
			}
		}
	}
	return is
}

// tooVast is why a topic isn't looked into.
func tooVast(name string, queues int64, on routing.Side) string {
	return fmt.Sprintf(
		"topic %s has %d queues on the %s: the gateway looks into topics of %d at most, and into no more "+
			"altogether than it has memory for (--memory)",
		name,
		queues,
		on,
		routing.MostOfTopic,
	)
}

// passVast lets topics pass as they are that have too many queues. What is known of one stays: it
// may have moved before it grew.
func (g *Gateway) passVast(vast map[string]int64) {
	for _, name := range sortedKeys(vast) {
		t := g.table.topics.ensure(name)
		if t.vast.Swap(vast[name]) == 0 {
			g.admission.bounds.topics.Add(1)
			g.log.Error("a topic has too many queues: what clients do with them passes as it is", "topic", name,
				"queues", vast[name], "most", routing.MostOfTopic)
		}
		if len(t.all()) == 0 {
			t.pair(nil, tooVast(name, vast[name], routing.Source), g.table.inUse)
		}
	}
}

// configsOf are the settings of topics by broker. A broker that can't be asked hides no other
// one's.
func configsOf(
	ctx context.Context,
	c *rocketmq.Cluster,
	names []string,
) (map[string]map[string]rocketmq.TopicConfig, error) {
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

// look takes over what both sides have: brokers, topics, queues, and which of them are pairs. Of a
// broker that can't be asked, all stays as it was known, and no new pairs are made meanwhile:
// queues that aren't seen would be missing among them.
func (g *Gateway) look(ctx context.Context) error {
	if err := g.lookAtBrokers(ctx, routing.Source, g.sides.source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	most := cmp.Or(g.table.topics.most, mostQueues)
	at, unread := queuesOf(ctx, g.sides.source, nil, most)
	g.passVast(at.vast)
	here := at.queues
	for name, queues := range here {
		t := g.table.topics.ensure(name)
		t.vast.Store(0)
		for _, q := range queues {
			t.ensure(q.Broker, q.ID+1)
		}
	}
	if unread != nil {
		unread = fmt.Errorf("source: %w", unread)
	}
	m := g.sides.migration.Load()
	if m == nil {
		return unread
	}
	to, err := queuesOf(ctx, m.target, sortedKeys(here), most)
	if err != nil {
		unread = errors.Join(unread, fmt.Errorf("target: %w", err))
	}
	if err := g.lookAtBrokers(ctx, routing.Target, m.target); err != nil {
		return errors.Join(unread, fmt.Errorf("target: %w", err))
	}
	lookAtLimits(ctx, g.sides.source, &g.sides.limitsHere)
	lookAtLimits(ctx, m.target, &g.sides.limits)
	if unread != nil {
		return unread
	}
	registered, err := g.sides.registered(ctx, m)
	if err != nil {
		return err
	}
	masters := [2][]string{
		g.sides.readBy(m, sortedKeys(registered[routing.Source])),
		sortedKeys(registered[routing.Target]),
	}
	g.sides.excuse(m, registered[routing.Source])
	for name, queues := range here {
		t := g.table.topics.ensure(name)
		if t.lacks(registered) {
			continue // its pairs are those of when all its queues could be seen
		}
		g.pairTopic(m, t, queues, to, masters)
	}
	return nil
}

// registered are the masters of both sides that name servers know now.
func (bs *bothSides) registered(ctx context.Context, m *migration) (both [2]map[string]bool, err error) {
	for on, c := range [2]*rocketmq.Cluster{bs.source, m.target} {
		brokers, err := c.Brokers(ctx)
		if err != nil {
			return both, fmt.Errorf("%s: %w", routing.Side(on), err)
		}
		both[on] = map[string]bool{}
		for _, b := range brokers {
			both[on][b.Name] = true
		}
	}
	return both, nil
}
