package activities

import (
	"context"
	"fmt"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/plan"
	"rocketshift/replicator"
)

// defaultLook is how soon lanes of a new topic start.
const defaultLook = 30 * time.Second

// lookForTopics starts lanes for topics and queues that the source got, and brings them to the
// target first.
func lookForTopics(
	ctx context.Context, s clusters.Both,
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
		l, err := s.Layout(ctx)
		if err != nil {
			continue // a side is away: the lanes say so
		}
		hindrances := f.follow(ctx, l)
		if l, err = s.Layout(ctx); err != nil {
			continue
		}
		lanes, unpaired := lanesFrom(ctx, s, l, q)
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
	clusters.Both
	known map[string]bool   // topics that are none of its: they were there before it, or it has made them
	pairs map[string]paired // how the queues of topics were paired when it last looked
}

// newFollower follows for all shards: one of them does it.
func newFollower(s clusters.Both, q ReplicateRequest, l clusters.Layout) *follower {
	if q.Part != 0 || len(l.SourceBrokers) == 0 || q.Broker != l.SourceBrokers[0].Name {
		return nil
	}
	f := &follower{s, map[string]bool{}, map[string]paired{}}
	for _, topic := range l.SourceTopics.Selected(s.Plan, l.SourceBrokers) {
		f.known[topic] = true
	}
	return f
}

// follow changes the target where it has to, and says what hindered it. A topic that was there
// before the lanes is ImportMetadata's.
func (f *follower) follow(ctx context.Context, l clusters.Layout) (hindrances []string) {
	if f == nil {
		return nil
	}
	for _, topic := range l.SourceTopics.Selected(f.Plan, l.SourceBrokers) {
		var err error
		switch {
		case len(l.TargetTopics[topic]) > 0:
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
func (f *follower) grow(ctx context.Context, l clusters.Layout, topic string) error {
	now := paired{l.SourceTopics.Counts(topic), l.TargetTopics.Counts(topic)}
	before, seen := f.pairs[topic]
	switch more := now.source.Sum() - now.target.Sum(); {
	case more < 0:
		return nil
	case more == 0:
		f.pairs[topic] = now
		return seenAlike(l, topic)
	}
	if !seen && len(now.source) == 1 { // what is on one broker only gets more at its end
		before, seen = paired{clusters.Counts{clusters.SortedKeys(now.source)[0]: now.target.Sum()}, now.target}, true
	}
	want, stays := before.grown(now.source)
	if !seen || !stays {
		return fmt.Errorf(
			"it got more queues on the source (%d, the target has %d), and pairs of queues would change: the "+
				"new ones wait until their topic is "+
				"migrated anew",
			now.source.Sum(),
			now.target.Sum(),
		)
	}
	if f.Target.Proxy() != "" {
		return toMake(now.source.Sum())
	}
	shares, err := laid(l, topic, want)
	if err != nil {
		return err
	}
	addr := clusters.AddressesOf(l.TargetBrokers)
	for _, broker := range clusters.SortedKeys(want) {
		config, share := l.TargetTopics[topic][broker], shares[broker]
		if want[broker] == now.target[broker] {
			continue
		}
		config.ReadQueues, config.WriteQueues, config.Attributes = share.Queues, share.Writable, nil
		if err := f.Target.Client().CreateTopic(ctx, addr[broker], config); err != nil {
			return f.Target.Explain(ctx, err)
		}
	}
	return nil
}

// create makes a new topic as ImportMetadata would, with the message type that its first messages
// show.
func (f *follower) create(ctx context.Context, l clusters.Layout, topic string) error {
	if f.Target.Proxy() != "" {
		return toMake(l.SourceTopics.Counts(topic).Sum())
	}
	kind, ordered := f.Plan.Topics.Types[topic], f.Plan.Ordered(topic)
	ranges, err := f.Source.Ranges(ctx, l.SourceBrokers, l.SourceTopics, topic)
	if err != nil {
		return err
	}
	seen, err := sampleTopic(ctx, f.Source, clusters.AddressesOf(l.SourceBrokers), topic, ranges)
	if err != nil {
		return f.Source.Explain(ctx, err)
	}
	if kind == "" {
		kind = seen.messageType()
	}
	ordered = ordered || seen.keyed || kind == plan.TypeFIFO
	addr := clusters.AddressesOf(l.TargetBrokers)
	wanted, found := desiredTopic(topic, l.SourceTopics[topic], kind, ordered, clusters.SortedKeys(addr))
	if found != nil {
		return fmt.Errorf("%s: %s", found.Cause, found.Next)
	}
	for broker, config := range wanted {
		if err := f.Target.Client().CreateTopic(ctx, addr[broker], config); err != nil {
			return f.Target.Explain(ctx, err)
		}
	}
	return nil
}
