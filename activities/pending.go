package activities

import (
	"context"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// deferred is a side with what its brokers keep for later.
type deferred struct {
	*clusters.One
	brokers   []rocketmq.Broker
	topics    clusters.TopicTable
	positions map[string]clusters.Committed
	enter     func(kind, object string, rest int64, detail string)
	// own tells topics of the migration, by the names that they have on the side; without it all
	// topics count
	own func(topic string) bool
}

// pending are the messages that the source will deliver later.
func (b *ledgerBuilder) pending(ctx context.Context) error {
	return deferred{
		One: b.Source, brokers: b.SourceBrokers, topics: b.SourceTopics, positions: b.positions,
		enter: b.enter,
	}.pending(ctx)
}

func (s deferred) pending(ctx context.Context) error {
	if err := s.delayed(ctx); err != nil {
		return err
	}
	return s.halves(ctx)
}

// delayed are the messages that the brokers will deliver later, retries among them, by delay level.
func (s deferred) delayed(ctx context.Context) error {
	for _, broker := range s.brokers {
		delivered, err := s.Client().DelayOffsets(ctx, broker.Addr)
		if err != nil {
			return s.Explain(ctx, err)
		}
		if _, there := s.topics[scheduleTopic][broker.Name]; !there {
			continue
		}
		stats, err := s.Client().TopicStats(ctx, broker.Addr, scheduleTopic)
		if err != nil {
			return s.Explain(ctx, err)
		}
		for queue := range stats {
			level := queue + 1
			rest, of := s.held(ctx, broker, scheduleTopic, queue, rocketmq.QueueRange{
				Min: max(stats[queue].Min, delivered[level]), Max: stats[queue].Max,
			})
			s.enter(kindDelayed, fmt.Sprintf("broker %s level %d", broker.Name, level), rest,
				of+"; delivered by itself, then copied")
		}
	}
	return nil
}

// halves are the open transactions. The count is an upper bound: a half message that was checked
// and stays open counts again.
func (s deferred) halves(ctx context.Context) error {
	for _, broker := range s.brokers {
		if _, there := s.topics[halfTopic][broker.Name]; !there {
			continue
		}
		stats, err := s.Client().TopicStats(ctx, broker.Addr, halfTopic)
		if err != nil {
			return s.Explain(ctx, err)
		}
		at := s.positions[halfGroup][halfTopic][lane.Queue{Broker: broker.Name}]
		rest, of := s.held(ctx, broker, halfTopic, 0, rocketmq.QueueRange{
			Min: max(stats[0].Min, at), Max: stats[0].Max,
		})
		s.enter(kindHalf, "broker "+broker.Name, rest,
			"at most, "+of+"; their producers end them, or the broker gives up")
	}
	return nil
}

// pendingAgain is the least pause between two looks at what is still to come: each reads all lanes.
const pendingAgain = 10 * time.Second

// AwaitPending waits until nothing is to come from the target any more.
func (l *Ledgers) AwaitPending(ctx context.Context, r Request) (err error) {
	defer explained(&err)
	return waiting{}.until(ctx, func() error {
		b, err := l.leftThere(ctx, r)
		if err == nil && b.sum > 0 {
			most := b.sorted()[0]
			err = fault.Again(fault.KindNotReady, pendingAgain, nil,
				"%d are still to come from the target, most of all %s %s %d",
				b.sum, most.Kind, most.Object, most.Rest)
		}
		return err
	})
}

// Pending lists what is still to come from the target after everybody has left it: what its brokers
// deliver later, and what applications wrote there and the reverse lanes haven't copied. Copies of
// what is written on the source meanwhile are no rest, however many there are.
func (l *Ledgers) Pending(ctx context.Context, r Request) (_ api.Ledger, err error) {
	defer explained(&err)
	b, err := l.leftThere(ctx, r)
	if err != nil {
		return api.Ledger{}, err
	}
	left, err := l.close(ctx, r, b)
	if err != nil { // the way back never waits for the store
		r.Bounded = false
		return l.close(ctx, r, b)
	}
	return left, nil
}

func (l *Ledgers) leftThere(ctx context.Context, r Request) (*ledgerBuilder, error) {
	both, err := l.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
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
			positions: committed, enter: b.enter, own: b.ownOnTarget(),
		}.pending(ctx)
	}
	if err != nil {
		return nil, err
	}
	return b, b.backLag(ctx)
}

// toCome counts what applications wrote on the lane's target queue and the reverse lane hasn't
// copied, and the copies that stand there too: the reverse lane passes them.
func (b *ledgerBuilder) toCome(
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
func (b *ledgerBuilder) backLag(ctx context.Context) error {
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
			natives, copies, err := b.toCome(ctx, lane)
			if err != nil {
				return b.Explain(ctx, err)
			}
			rest, passed = rest+natives, passed+copies
		}
		b.enter(
			kindLag,
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
