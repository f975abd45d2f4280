package activities

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// noteLeft notes on the brokers that the topics' producers have left a side, and that they write on
// the other one.
func (s sides) noteLeft(ctx context.Context, side api.Side, topics []string) error {
	l, err := s.layout(ctx)
	if err != nil {
		return err
	}
	lanes, err := l.allLanes(topics)
	if err != nil {
		return err
	}
	return each(ctx, lanes, func(ctx context.Context, lane lane.Lane) error {
		there, back := s.translator, s.translator.Reversed()
		lane, other := lane, lane.Back()
		if side == api.Target {
			there, back, lane, other = back, there, other, lane
		}
		if err := s.noted(ctx, side, there.Leave(ctx, lane)); err != nil {
			return err
		}
		return s.noted(ctx, side.Other(), back.Enter(ctx, other))
	})
}

// noted lets a move go on where rocketshift may not write the note: stragglers are copied all the
// same, and nobody is told of them.
func (s sides) noted(ctx context.Context, side api.Side, err error) error {
	if remoting.Denied(err) || remoting.CodeOf(err) == remoting.SubscriptionGroupGone { // the group couldn't be created
		return nil
	}
	return s.about(side, err).explain(ctx, err)
}

// leftSource is where producers left the lane's source queue. Who may not read the notes has
// written none.
func (s sides) leftSource(ctx context.Context, lane lane.Lane) (int64, bool, error) {
	at, left, err := s.translator.Left(ctx, lane)
	return at, left, s.noted(ctx, api.Source, err)
}

// hasLeft reports whether producers of the topic have left the source.
func (s sides) hasLeft(ctx context.Context, l layout, topic string) (bool, error) {
	lanes, err := l.lanes(topic)
	if err != nil {
		return false, err
	}
	for _, lane := range lanes {
		if _, left, err := s.leftSource(ctx, lane); left || err != nil {
			return left, err
		}
	}
	return false, nil
}

// stragglers are what applications wrote on the source after they had left it.
func (b *ledgerBuilder) stragglers(ctx context.Context) error {
	lanes, err := b.allLanes(b.sourceTopics.selected(b.plan, b.sourceBrokers))
	if err != nil {
		return err
	}
	found := make([]int64, len(lanes))
	err = each(ctx, indexes(lanes), func(ctx context.Context, i int) error {
		at, left, err := b.leftSource(ctx, lanes[i])
		if err == nil && left {
			found[i], err = b.translator.Reversed().NativesFrom(ctx, lanes[i].Back(), at)
		}
		return err
	})
	if err != nil {
		return b.explain(ctx, err)
	}
	counts, where := map[string]int64{}, map[string][]string{}
	for i, lane := range lanes {
		if found[i] > 0 {
			counts[lane.Topic] += found[i]
			where[lane.Topic] = append(where[lane.Topic], fmt.Sprintf("%s %d", lane.Source, found[i]))
		}
	}
	for _, topic := range sortedKeys(counts) {
		b.late = append(b.late, api.LedgerRow{
			Kind:   kindStraggler,
			Object: "topic " + topic,
			Rest:   counts[topic],
			Detail: list(where[topic]),
		})
	}
	return nil
}
