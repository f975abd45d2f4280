package gateway

import (
	"context"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/replica"
)

const (
	// payPause is between two looks whether everything owed is copied.
	payPause = 2 * time.Second
	// copiesSought is how many messages at a queue's end are looked at for the newest copy: more
	// than lanes copy in a second where producers write to the source too.
	copiesSought = 64
)

// seeCopied finds out up to where the lanes have brought queues back, as far as the last messages
// on the source tell, and takes note of it.
func (g *Gateway) seeCopied(ctx context.Context, names []control.TopicQueue) {
	l, err := g.sides.Lanes()
	if err != nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, control.UsualBudget)
	defer cancel()
	found := make([]control.OwedQueue, len(names))
	var all errgroup.Group
	all.SetLimit(replicas.ProvedTogether)
	for i, name := range names {
		all.Go(func() error {
			q := g.table.QueueFor(name.Topic, name.Broker, name.ID)
			found[i] = control.OwedQueue{TopicQueue: name, Copied: lastCopied(ctx, l, q)}
			return nil
		})
	}
	_ = all.Wait()
	g.owing.Learn(found)
}

// lastCopied is behind the last message on the target of which the end of the source's queue shows
// a copy; -1 if none is seen.
func lastCopied(ctx context.Context, l replicas.Lanes, q *routing.Queue) int64 {
	_, end, err := l.SourceBounds(ctx, q)
	lane := q.Lane()
	if err != nil || lane == nil {
		return -1
	}
	found, err := l.Read(ctx, q, routing.Source, max(0, end-copiesSought), copiesSought)
	if err != nil {
		return -1
	}
	copied := int64(-1)
	for i := range found {
		stamp, is := replica.ParseStamp(found[i].Properties)
		if is && stamp.Cluster == l.Migration.Target && stamp.Topic == q.Topic &&
			stamp.Broker == lane.Target.Broker && stamp.Queue == lane.Target.ID {
			copied = max(copied, stamp.Offset+1)
		}
	}
	return copied
}

// payOwed forgets queues of which everything on the target is copied, once that answers.
func (g *Gateway) payOwed() {
	for sleep.For(g.ctx, payPause) == nil {
		if len(g.owing.All()) == 0 || g.targetIsAway(g.ctx) == nil {
			continue
		}
		g.payNow(g.ctx, func(ctx context.Context, q *routing.Queue) error {
			l, err := g.sides.Lanes()
			if err != nil {
				return err
			}
			c, err := l.Crossing(ctx, q, routing.Target, false)
			if err == nil {
				_, err = c.Across(c.End())
			}
			return err
		})
	}
}

// payNow looks at each queue that is owed once; copied is an error while something isn't.
func (g *Gateway) payNow(ctx context.Context, copied func(context.Context, *routing.Queue) error) {
	var paid []control.TopicQueue
	for _, one := range g.owing.All() {
		q := g.table.QueueFor(one.Topic, one.Broker, one.ID)
		if q.At() == routing.Target {
			continue // not yet, or again, where it was
		}
		ctx, cancel := context.WithTimeout(ctx, control.UsualBudget)
		err := copied(ctx, q)
		cancel()
		if err != nil {
			continue
		}
		g.log.Info("everything that was owed of a queue is copied", "queue", q.String(),
			"since", one.Since.String())
		paid = append(paid, one.TopicQueue)
	}
	if err := g.owing.Paid(paid); err != nil {
		g.log.Error("what is owed can't be written", "cause", err)
	}
}
