package shards

import (
	"maps"
	"slices"
	"sync"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

// Tally remembers what shards that ran in this process have copied, by topic too. The zero value is
// empty.
type Tally struct {
	mu    sync.Mutex
	known map[LanesOf]shardCount
}

// shardCount is what was told last of a shard.
type shardCount struct {
	all         api.Copied
	there, back map[string]int64 // by topic
}

// Begin returns a counter for lanes of a shard that begin now: it goes on where the last ones were,
// as this process, the attempt before and the workflow know. The attempt before tells of the topics
// that are furthest behind alone.
func (t *Tally) Begin(of LanesOf, before api.Copied, last lane.Progress) *Counter {
	t.mu.Lock()
	defer t.mu.Unlock()
	known := t.known[of]
	before = before.AtLeast(last)
	start := shardCount{
		all: api.Copied{
			There: max(before.There, known.all.There),
			Back:  max(before.Back, known.all.Back),
		},
		there: noLess(known.there, last.Topics),
	}
	if last.Back != nil {
		start.back = noLess(known.back, last.Back.Topics)
	} else {
		start.back = known.back
	}
	return &Counter{tally: t, of: of, before: start}
}

// noLess are counts that are no less than what was told of topics.
func noLess(counts map[string]int64, told []lane.TopicProgress) map[string]int64 {
	all := maps.Clone(counts)
	if all == nil {
		all = map[string]int64{}
	}
	for _, t := range told {
		all[t.Topic] = max(all[t.Topic], t.Copied)
	}
	return all
}

// Counter adds what lanes count to what those before them have copied.
type Counter struct {
	tally  *Tally
	of     LanesOf
	before shardCount
}

// Begun is what the attempt before told, with counts that are no less than what is known, while the
// lanes haven't said anything yet.
func (c *Counter) Begun(last lane.Progress) lane.Progress {
	last.Copied, last.Topics = c.before.all.There, known(last.Topics, c.before.there)
	if last.Back == nil && c.before.all.Back == 0 {
		return last
	}
	back := lane.Progress{}
	if last.Back != nil {
		back = *last.Back
	}
	back.Copied, back.Topics = c.before.all.Back, known(back.Topics, c.before.back)
	last.Back = &back
	return last
}

// known are the counts by topic where nothing was told of them yet.
func known(told []lane.TopicProgress, counts map[string]int64) []lane.TopicProgress {
	if len(told) > 0 {
		return told
	}
	for topic, copied := range counts {
		told = append(told, lane.TopicProgress{Topic: topic, Copied: copied})
	}
	lane.WorstFirst(told)
	return told
}

// Add is the progress with what was copied before.
func (c *Counter) Add(p lane.Progress) lane.Progress {
	now := shardCount{back: c.before.back} // back lanes may not have begun
	p, now.there = plus(p, c.before.all.There, c.before.there)
	if p.Back != nil {
		back, byTopic := plus(*p.Back, c.before.all.Back, c.before.back)
		p.Back, now.back = &back, byTopic
	}
	now.all = c.before.all.AtLeast(p)
	c.tally.mu.Lock()
	defer c.tally.mu.Unlock()
	if c.tally.known == nil {
		c.tally.known = map[LanesOf]shardCount{}
	}
	c.tally.known[c.of] = now
	return p
}

func plus(
	p lane.Progress, all int64, byTopic map[string]int64,
) (lane.Progress, map[string]int64) {
	p.Copied += all
	p.Topics = slices.Clone(p.Topics) // others have them too
	now := make(map[string]int64, len(p.Topics))
	for topic, copied := range byTopic {
		now[topic] = copied
	}
	for i := range p.Topics {
		p.Topics[i].Copied += byTopic[p.Topics[i].Topic]
		now[p.Topics[i].Topic] = p.Topics[i].Copied
	}
	return p, now
}
