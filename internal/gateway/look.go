package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// passVast lets topics pass as they are that have too many queues. What is known of one stays: it
// may have moved before it grew.
func (g *Gateway) passVast(vast map[string]int64) {
	for _, name := range routing.SortedKeys(vast) {
		t := g.table.Topics.Ensure(name)
		if t.Vast.Swap(vast[name]) == 0 {
			g.admission.bounds.topics.Add(1)
			g.log.Error("a topic has too many queues: what clients do with them passes as it is", "topic", name,
				"queues", vast[name], "most", routing.MostOfTopic)
		}
		if len(t.All()) == 0 {
			t.Pair(nil, tooVast(name, vast[name], routing.Source), g.table.InUse)
		}
	}
}

// look takes over what both sides have: brokers, topics, queues, and which of them are pairs. Of a
// broker that can't be asked, all stays as it was known, and no new pairs are made meanwhile:
// queues that aren't seen would be missing among them.
func (g *Gateway) look(ctx context.Context) error {
	if err := g.lookAtBrokers(ctx, routing.Source, g.sides.source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	most := cmp.Or(g.table.Topics.Most, routing.MostQueues)
	at, unread := queuesOf(ctx, g.sides.source, nil, most)
	g.passVast(at.vast)
	here := at.queues
	for name, queues := range here {
		t := g.table.Topics.Ensure(name)
		t.Vast.Store(0)
		for _, q := range queues {
			t.Ensure(q.Broker, q.ID+1)
		}
	}
	if unread != nil {
		unread = fmt.Errorf("source: %w", unread)
	}
	m := g.sides.migration.Load()
	if m == nil {
		return unread
	}
	to, err := queuesOf(ctx, m.target, routing.SortedKeys(here), most)
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
		g.sides.readBy(m, routing.SortedKeys(registered[routing.Source])),
		routing.SortedKeys(registered[routing.Target]),
	}
	g.sides.excuse(m, registered[routing.Source])
	for name, queues := range here {
		t := g.table.Topics.Ensure(name)
		if t.Lacks(registered) {
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
