package metadata

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"rocketshift/internal/clusters"
	"rocketshift/plan"
)

// Follower brings to the target what the source gets while its lanes run: new topics of the plan's
// selection, and more queues.
type Follower struct {
	clusters.Both
	known map[string]bool   // topics that are none of its: they were there before it, or it has made them
	pairs map[string]paired // how the queues of topics were paired when it last looked
	// coming are new topics, with the queues that the source had of them when it last looked
	coming map[string]clusters.Counts
	// groups that the source had since it began
	groups map[string]bool
	late   map[string]bool // groups that it has made on the target
}

// NewFollower follows from what is laid out now.
func NewFollower(s clusters.Both, l clusters.Layout) *Follower {
	f := &Follower{
		Both: s, known: map[string]bool{}, pairs: map[string]paired{}, coming: map[string]clusters.Counts{},
		groups: map[string]bool{}, late: map[string]bool{},
	}
	for _, topic := range l.SourceTopics.Selected(s.Plan, l.SourceBrokers) {
		f.known[topic] = true
	}
	return f
}

// Follow changes the target where it has to, and says what hindered it. A topic that was there
// before the lanes is ImportMetadata's.
//
// People create a topic broker by broker. One that was made on the target after the first of them
// couldn't always get the other queues, as pairs would change: so a new topic is made at the second
// of two looks that see the same queues of it.
func (f *Follower) Follow(ctx context.Context, l clusters.Layout) (hindrances []string) {
	if f == nil {
		return nil
	}
	selected := l.SourceTopics.Selected(f.Plan, l.SourceBrokers)
	maps.DeleteFunc(f.coming, func(topic string, _ clusters.Counts) bool { return !slices.Contains(selected, topic) })
	for _, topic := range selected {
		var err error
		switch {
		case len(l.TargetTopics[topic]) > 0:
			err = f.grow(ctx, l, topic)
		case !f.known[topic] && !f.settled(topic, l.SourceTopics.Counts(topic)):
			continue
		case !f.known[topic]:
			err = f.create(ctx, l, topic)
		}
		delete(f.coming, topic)
		if err != nil {
			hindrances = append(hindrances, fmt.Sprintf("topic %s: %v", topic, err))
		} else {
			f.known[topic] = true
		}
	}
	return hindrances
}

// settled reports whether the last look saw the same queues of a new topic.
func (f *Follower) settled(topic string, queues clusters.Counts) bool {
	before, seen := f.coming[topic]
	f.coming[topic] = queues
	return seen && maps.Equal(before, queues)
}

// Unsettled reports whether there are new topics that the next look may make: it shouldn't be long
// until then.
func (f *Follower) Unsettled() bool { return f != nil && len(f.coming) > 0 }

// grow gives a topic as many queues as its source has by now, if they can be where the pairs of the
// other queues stay: if those changed, what was copied would be copied again elsewhere.
func (f *Follower) grow(ctx context.Context, l clusters.Layout, topic string) error {
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
func (f *Follower) create(ctx context.Context, l clusters.Layout, topic string) error {
	if f.Target.Proxy() != "" {
		return toMake(l.SourceTopics.Counts(topic).Sum())
	}
	kind, ordered := f.Plan.Topics.Types[topic], f.Plan.Ordered(topic)
	ranges, err := f.Source.Ranges(ctx, l.SourceBrokers, l.SourceTopics, topic)
	if err != nil {
		return err
	}
	seen, err := SampleTopic(ctx, f.Source, clusters.AddressesOf(l.SourceBrokers), topic, ranges, false)
	if err != nil {
		return f.Source.Explain(ctx, err)
	}
	if kind == "" {
		kind = seen.MessageType()
	}
	ordered = ordered || seen.Keyed || kind == plan.TypeFIFO
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
