package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/replicator/lane"
)

// passVast lets topics pass as they are that have too many queues. What is known of one stays: it
// may have moved before it grew.
func (g *Gateway) passVast(vast map[string]int64) {
	for _, name := range routing.SortedKeys(vast) {
		t := g.table.Topics.Ensure(name)
		if t.Vast.Swap(vast[name]) == 0 {
			g.clients.admission.bounds.topics.Add(1)
			g.log.Error("a topic has too many queues: what clients do with them passes as it is", "topic", name,
				"queues", vast[name], "most", routing.MostOfTopic)
		}
		if len(t.All()) == 0 {
			t.Pair(nil, replicas.TooVast(name, vast[name], routing.Source), g.table.InUse)
		}
	}
}

// look takes over what both sides have: brokers, topics, queues, and which of them are pairs. Of a
// broker that can't be asked, all stays as it was known, and no new pairs are made meanwhile:
// queues that aren't seen would be missing among them.
func (g *Gateway) look(ctx context.Context) error {
	if err := g.lookAtBrokers(ctx, routing.Source, g.sides.Source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	most := cmp.Or(g.table.Topics.Most, routing.MostQueues)
	at, unread := replicas.QueuesOf(ctx, g.sides.Source, nil, most)
	g.passVast(at.Vast)
	here := at.Queues
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
	m := g.sides.Migration.Load()
	if m == nil {
		return unread
	}
	to, err := replicas.QueuesOf(ctx, m.TargetCluster, routing.SortedKeys(here), most)
	if err != nil {
		unread = errors.Join(unread, fmt.Errorf("target: %w", err))
	}
	if err := g.lookAtBrokers(ctx, routing.Target, m.TargetCluster); err != nil {
		return errors.Join(unread, fmt.Errorf("target: %w", err))
	}
	replicas.LookAtLimits(ctx, g.sides.Source, &g.sides.LimitsHere)
	replicas.LookAtLimits(ctx, m.TargetCluster, &g.sides.Limits)
	if unread != nil {
		return unread
	}
	registered, err := g.sides.Registered(ctx, m)
	if err != nil {
		return err
	}
	masters := [2][]string{
		g.sides.ReadBy(m, routing.SortedKeys(registered[routing.Source])),
		routing.SortedKeys(registered[routing.Target]),
	}
	g.sides.Excuse(m, registered[routing.Source])
	for name, queues := range here {
		t := g.table.Topics.Ensure(name)
		if t.Lacks(registered) {
			continue // its pairs are those of when all its queues could be seen
		}
		g.pairTopic(m, t, queues, to, masters)
	}
	return nil
}

// pairTopic pairs the queues that the source has of a topic with those of the target; masters are
// those of both sides that count.
func (g *Gateway) pairTopic(
	m *replicas.Migration, t *routing.Topic, queues []lane.Queue, to replicas.Layout, masters [2][]string,
) {
	read, unread := g.sides.ReadOf(m, queues)
	there := to.Queues[t.Name]
	lanes, err := replicas.LanesOf(t.Name, read, there, masters, t.Kept())
	problem := replicas.NotRead(t.Name, unread)
	if err != nil {
		problem = err.Error()
	}
	if n := to.Vast[t.Name]; n > 0 {
		problem = replicas.TooVast(t.Name, n, routing.Target)
	}
	t.Pair(lanes, problem, g.table.InUse)
	t.Beyond.Store(int64(len(there) - len(lanes)))
}
