package activities

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// noteLeft notes on the brokers that the topics' producers have left a side, and that they write on
// the other one.
func noteLeft(ctx context.Context, s clusters.Both, side api.Side, topics []string) error {
	l, err := s.Layout(ctx)
	if err != nil {
		return err
	}
	lanes, err := l.AllLanes(topics)
	if err != nil {
		return err
	}
	return clusters.Each(ctx, lanes, func(ctx context.Context, lane lane.Lane) error {
		there, back := s.Translator, s.Translator.Reversed()
		lane, other := lane, lane.Back()
		if side == api.Target {
			there, back, lane, other = back, there, other, lane
		}
		if err := noted(ctx, s, side, there.Leave(ctx, lane)); err != nil {
			return err
		}
		return noted(ctx, s, side.Other(), back.Enter(ctx, other))
	})
}

// noted lets a move go on where rocketshift may not write the note: stragglers are copied all the
// same, and nobody is told of them.
func noted(ctx context.Context, s clusters.Both, side api.Side, err error) error {
	if remoting.Denied(err) || remoting.CodeOf(err) == remoting.SubscriptionGroupGone { // the group couldn't be created
		return nil
	}
	return s.About(side, err).Explain(ctx, err)
}

// leftSource is where producers left the lane's source queue. Who may not read the notes has
// written none.
func leftSource(ctx context.Context, s clusters.Both, lane lane.Lane) (int64, bool, error) {
	at, left, err := s.Translator.Left(ctx, lane)
	return at, left, noted(ctx, s, api.Source, err)
}

// hasLeft reports whether producers of the topic have left the source.
func hasLeft(ctx context.Context, s clusters.Both, l clusters.Layout, topic string) (bool, error) {
	lanes, err := l.Lanes(topic)
	if err != nil {
		return false, err
	}
	for _, lane := range lanes {
		if _, left, err := leftSource(ctx, s, lane); left || err != nil {
			return left, err
		}
	}
	return false, nil
}

// stragglers are what applications wrote on the source after they had left it.
func (b *ledgerBuilder) stragglers(ctx context.Context) error {
	lanes, err := b.AllLanes(b.SourceTopics.Selected(b.Plan, b.SourceBrokers))
	if err != nil {
		return err
	}
	found := make([]int64, len(lanes))
	err = clusters.Each(ctx, clusters.Indexes(lanes), func(ctx context.Context, i int) error {
		at, left, err := leftSource(ctx, b.Both, lanes[i])
		if err == nil && left {
			found[i], err = b.Translator.Reversed().NativesFrom(ctx, lanes[i].Back(), at)
		}
		return err
	})
	if err != nil {
		return b.Explain(ctx, err)
	}
	counts, where := map[string]int64{}, map[string][]string{}
	for i, lane := range lanes {
		if found[i] > 0 {
			counts[lane.Topic] += found[i]
			where[lane.Topic] = append(where[lane.Topic], fmt.Sprintf("%s %d", lane.Source, found[i]))
		}
	}
	for _, topic := range clusters.SortedKeys(counts) {
		b.late = append(b.late, api.LedgerRow{
			Kind:   kindStraggler,
			Object: "topic " + topic,
			Rest:   counts[topic],
			Detail: printable.Few(where[topic]),
		})
	}
	return nil
}
