package ledger

import (
	"context"
	"fmt"

	"rocketshift/internal/clusters"
	"rocketshift/replicator/lane"
)

// ToCome lists what is still to come from the target after everybody has left it.
func ToCome(ctx context.Context, both clusters.Both) (*Builder, error) {
	b, err := openLedger(ctx, both)
	if err != nil {
		return nil, err
	}
	committed, err := both.Target.Positions(ctx, b.TargetBrokers)
	if err != nil {
		return nil, err
	}
	// What is delivered while this looks is counted by the lanes, which are asked after what is
	// deferred.
	if both.Target.Proxy() == "" { // which shows nothing of it
		err = deferred{
			One: both.Target, brokers: b.TargetBrokers, topics: b.TargetTopics,
			positions: committed, enter: b.Enter, own: b.ownOnTarget(),
		}.pending(ctx)
	}
	if err != nil {
		return nil, err
	}
	return b, b.backLag(ctx)
}

// toComeOf counts what applications wrote on the lane's target queue and the reverse lane hasn't
// copied, and the copies that stand there too: the reverse lane passes them.
func (b *Builder) toComeOf(
	ctx context.Context, lane lane.Lane,
) (natives, copies int64, err error) {
	copied, end, err := b.Translator.Reversed().Progress(ctx, lane.Back())
	if err != nil || copied >= end {
		return 0, 0, err
	}
	natives, err = b.Translator.NativesFrom(ctx, lane, copied)
	return natives, max(0, end-copied-natives), err
}

// backLag is what applications wrote on the target and the reverse lanes have not copied, by topic.
func (b *Builder) backLag(ctx context.Context) error {
	if b.Plan.Replicate.OneWay {
		return nil
	}
	selected := b.SourceTopics.Selected(b.Plan, b.SourceBrokers)
	for _, topic := range append(selected, b.SourceTopics.OfGroups(b.Plan)...) {
		if len(b.TargetTopics[topic]) == 0 {
			continue
		}
		lanes, err := b.Lanes(topic)
		if err != nil {
			return err
		}
		rest, passed := int64(0), int64(0)
		for _, lane := range lanes {
			natives, copies, err := b.toComeOf(ctx, lane)
			if err != nil {
				return b.Explain(ctx, err)
			}
			rest, passed = rest+natives, passed+copies
		}
		b.Enter(
			KindLag,
			"topic "+topic,
			rest,
			fmt.Sprintf(
				"written on the target, not copied back yet; %d copies of what the source has don't count",
				passed,
			),
		)
	}
	return nil
}
