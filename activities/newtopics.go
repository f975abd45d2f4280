package activities

import (
	"context"
	"fmt"
	"time"

	"rocketshift/plan"
	"rocketshift/replicator"
)

// defaultLook is how soon lanes of a new topic start.
const defaultLook = 30 * time.Second

// lookForTopics starts lanes for topics and queues that the source got, and brings them to the
// target first.
func (s sides) lookForTopics(
	ctx context.Context,
	q ReplicateRequest,
	look time.Duration,
	f *follower,
	copier *replicator.Replicator,
	b *beater,
) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l, err := s.layout(ctx)
		if err != nil {
			continue // a side is away: the lanes say so
		}
		hindrances := f.follow(ctx, l)
		if l, err = s.layout(ctx); err != nil {
			continue
		}
		lanes, unpaired := s.lanesFrom(ctx, l, q)
		unpaired = append(hindrances, unpaired...)
		left, _ := copier.Add(lanes) // it may have ended meanwhile
		for _, lane := range left {
			unpaired = append(
				unpaired,
				fmt.Sprintf(
					"%s: the topic's queues changed, and one of these has another lane: messages of new "+
						"queues wait until Replicate is started again",
					lane,
				),
			)
		}
		b.unpaired(unpaired)
	}
}

// follower brings to the target what the source gets while its lanes run: new topics of the plan's
// selection, and more queues.
type follower struct {
	sides
	known map[string]bool   // topics that are none of its: they were there before it, or it has made them
	pairs map[string]paired // how the queues of topics were paired when it last looked
}

// newFollower follows for all shards: one of them does it.
func (s sides) newFollower(q ReplicateRequest, l layout) *follower {
	if q.Part != 0 || len(l.sourceBrokers) == 0 || q.Broker != l.sourceBrokers[0].Name {
		return nil
	}
	f := &follower{s, map[string]bool{}, map[string]paired{}}
	for _, topic := range l.sourceTopics.selected(s.plan, l.sourceBrokers) {
		f.known[topic] = true
	}
	return f
}

// follow changes the target where it has to, and says what hindered it. A topic that was there
// before the lanes is ImportMetadata's.
func (f *follower) follow(ctx context.Context, l layout) (hindrances []string) {
	if f == nil {
		return nil
	}
	for _, topic := range l.sourceTopics.selected(f.plan, l.sourceBrokers) {
		var err error
		switch {
		case len(l.targetTopics[topic]) > 0:
			err = f.grow(ctx, l, topic)
		case !f.known[topic]:
			err = f.create(ctx, l, topic)
		}
		if err != nil {
			hindrances = append(hindrances, fmt.Sprintf("topic %s: %v", topic, err))
		} else {
			f.known[topic] = true
		}
	}
	return hindrances
}

// grow gives a topic as many queues as its source has by now, if they can be where the pairs of the
// other queues stay: if those changed, what was copied would be copied again elsewhere.
func (f *follower) grow(ctx context.Context, l layout, topic string) error {
	now := paired{l.sourceTopics.counts(topic), l.targetTopics.counts(topic)}
	before, seen := f.pairs[topic]
	switch more := now.source.sum() - now.target.sum(); {
	case more < 0:
		return nil
	case more == 0:
		f.pairs[topic] = now
		return l.seenAlike(topic)
	}
	if !seen && len(now.source) == 1 { // what is on one broker only gets more at its end
		before, seen = paired{counts{sortedKeys(now.source)[0]: now.target.sum()}, now.target}, true
	}
	want, stays := before.grown(now.source)
	if !seen || !stays {
		return fmt.Errorf(
			"it got more queues on the source (%d, the target has %d), and pairs of queues would change: the "+
				"new ones wait until their topic is "+
				"migrated anew",
			now.source.sum(),
			now.target.sum(),
		)
	}
	if f.target.Proxy() != "" {
		return toMake(now.source.sum())
	}
	shares, err := l.laid(topic, want)
	if err != nil {
		return err
	}
	addr := addresses(l.targetBrokers)
	for _, broker := range sortedKeys(want) {
		config, share := l.targetTopics[topic][broker], shares[broker]
		if want[broker] == now.target[broker] {
			continue
		}
		config.ReadQueues, config.WriteQueues, config.Attributes = share.Queues, share.Writable, nil
		if err := f.target.Client().CreateTopic(ctx, addr[broker], config); err != nil {
			return f.target.explain(ctx, err)
		}
	}
	return nil
}

// create makes a new topic as ImportMetadata would, with the message type that its first messages
// show.
func (f *follower) create(ctx context.Context, l layout, topic string) error {
	if f.target.Proxy() != "" {
		return toMake(l.sourceTopics.counts(topic).sum())
	}
	kind, ordered := f.plan.Topics.Types[topic], f.plan.Ordered(topic)
	ranges, err := f.source.ranges(ctx, l.sourceBrokers, l.sourceTopics, topic)
	if err != nil {
		return err
	}
	seen, err := f.source.look(ctx, addresses(l.sourceBrokers), topic, ranges)
	if err != nil {
		return f.source.explain(ctx, err)
	}
	if kind == "" {
		kind = seen.messageType()
	}
	ordered = ordered || seen.keyed || kind == plan.TypeFIFO
	addr := addresses(l.targetBrokers)
	wanted, found := desiredTopic(topic, l.sourceTopics[topic], kind, ordered, sortedKeys(addr))
	if found != nil {
		return fmt.Errorf("%s: %s", found.Cause, found.Next)
	}
	for broker, config := range wanted {
		if err := f.target.Client().CreateTopic(ctx, addr[broker], config); err != nil {
			return f.target.explain(ctx, err)
		}
	}
	return nil
}
