package replica

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// An earlier run that saw only a part of the source made the target's topics with too few queues,
// and paired the queues otherwise than a run that sees all of it. The stamps of its copies show
// that: each names the queue of its original, and the queue that the copy was made for.

// CopiesOf names the source queue of the copies in a queue of the target.
type CopiesOf struct {
	Target, Source lane.Queue
}

// placedLook is how many messages at each end of a queue are searched for copies: as many as a
// broker gives at once. Applications may have written after all copies, and copies at the beginning
// may have expired.
const placedLook = 32

// anyGroup is built into every broker, so that reading with it makes no new group.
const anyGroup = "TOOLS_CONSUMER"

// CopiesIn finds which lanes of these names copied to each of these queues of a topic. It looks at
// both ends of the queues. A queue without such a copy is missing in the result.
func CopiesIn(
	ctx context.Context, target *rocketmq.Cluster, names Names, topic string, queues []lane.Queue,
) (all []CopiesOf, err error) {
	side := NewBrokers(lane.SideTarget, target)
	for _, q := range queues {
		from := Reader{Side: side, Group: anyGroup, Topic: topic, Queue: q}
		first, end, err := from.Bounds(ctx)
		if err != nil {
			return nil, err
		}
		found := CopiesOf{}
		for _, part := range []lane.Span{{From: max(first, end-placedLook), To: end}, {From: first, To: min(first+placedLook, end)}} {
			err = from.Each(ctx, part.From, part.To, func(m Message) bool {
				if stamp, ok := ParseStamp(m.Properties); ok && stamp.IntoFrom(names, topic, q) {
					found = CopiesOf{q, lane.Queue{Broker: stamp.Broker, ID: stamp.Queue}}
				}
				return true
			})
			if err != nil {
				return nil, err
			}
			if found != (CopiesOf{}) {
				break
			}
		}
		if found != (CopiesOf{}) {
			all = append(all, found)
		}
	}
	return all, nil
}

// IntoFrom reports whether a copy from a queue of the source, of this topic, was made for that
// queue of the target. A message that an application sent again names another place.
func (s Stamp) IntoFrom(names Names, topic string, target lane.Queue) bool {
	return s.Cluster == names.Source && s.Topic == topic && s.Place == placeOf(names.Target, topic, target)
}

// Remains is what an earlier run has left of a topic that doesn't fit both sides any more.
type Remains struct {
	// Misplaced are copies that lie in the queue of another lane; empty where only queues are
	// missing.
	Misplaced []CopiesOf
	// Grow is how many queues each broker of the target must have, so that all copies stay where
	// they belong; nil where that isn't possible.
	Grow map[string]int
	// Copies says that there are copies.
	Copies bool
	// Unseen are the brokers of the source of which the target has no copy, while it has copies of
	// other brokers.
	Unseen []string
}

// RemainsOf compares a topic on both sides, given by broker, with the copies that are there.
// brokers are those of the target. It is false if everything fits.
func RemainsOf(
	source, target map[string]rocketmq.TopicConfig, brokers []string, copies []CopiesOf,
) (r Remains, some bool) {
	from, to := QueuesBy(source), QueuesBy(target)
	r.Unseen, r.Copies = unseen(source, copies), len(copies) > 0
	if len(from) == len(to) {
		lanes, _ := lane.Pair("", from, to)
		r.Misplaced = misplaced(lanes, copies)
		return r, len(r.Misplaced) > 0
	}
	if len(from) < len(to) {
		return Remains{}, false // the source has fewer queues now, or the topic isn't ours
	}
	shares, alike := Spread(Writable(source), brokers)
	if !alike {
		return r, true
	}
	want, grow := map[string]rocketmq.TopicConfig{}, map[string]int{}
	for broker, share := range shares {
		want[broker] = rocketmq.TopicConfig{
			ReadQueues:  share.Queues,
			WriteQueues: share.Queues,
			Perm:        rocketmq.PermRead,
		}
		grow[broker] = share.Queues
	}
	lanes, err := lane.Pair("", from, QueuesBy(want))
	if err != nil {
		return r, true
	}
	r.Misplaced = misplaced(lanes, copies)
	for broker, has := range target {
		if has.Queues() > grow[broker] {
			return r, true
		}
	}
	if len(r.Misplaced) == 0 && Hidden(source) == "" {
		r.Grow = grow
	}
	return r, true
}

// Begun reports whether all brokers that have the topic have the right number of queues. Then only
// the other brokers lack the topic, as after a creation that was cut off.
func (r Remains) Begun(target map[string]rocketmq.TopicConfig) bool {
	for broker, has := range target {
		if has.Queues() != r.Grow[broker] {
			return false
		}
	}
	return r.Grow != nil
}

// QueuesBy lists a topic's queues in client order, from its settings by broker. Queues that are
// only read, or only written, count.
func QueuesBy(topic map[string]rocketmq.TopicConfig) (all []lane.Queue) {
	for _, broker := range slices.Sorted(maps.Keys(topic)) {
		for id := range topic[broker].Queues() {
			all = append(all, lane.Queue{Broker: broker, ID: id})
		}
	}
	return all
}

// misplaced are the copies that lie in other queues than the lanes would use.
func misplaced(lanes []lane.Lane, copies []CopiesOf) (all []CopiesOf) {
	into := map[lane.Queue]lane.Queue{}
	for _, l := range lanes {
		into[l.Target] = l.Source
	}
	for _, c := range copies {
		if into[c.Target] != c.Source {
			all = append(all, c)
		}
	}
	return all
}

func unseen(source map[string]rocketmq.TopicConfig, copies []CopiesOf) (names []string) {
	seen := map[string]bool{}
	for _, c := range copies {
		seen[c.Source.Broker] = true
	}
	for _, broker := range slices.Sorted(maps.Keys(source)) {
		if !seen[broker] && len(copies) > 0 && source[broker].Queues() > 0 {
			names = append(names, broker)
		}
	}
	return names
}

// Cause says what was left.
func (r Remains) Cause(source, target map[string]rocketmq.TopicConfig) string {
	from, to := QueuesBy(source), QueuesBy(target)
	text := fmt.Sprintf("the source has %d queues (%s) and the target %d (%s)",
		len(from), lane.PerBroker(from), len(to), lane.PerBroker(to))
	if r.Copies && len(r.Unseen) == 0 {
		text += ", which hold copies"
	}
	if len(r.Unseen) > 0 {
		text += fmt.Sprintf(", which hold copies, and none of source broker %s: they were made by a run "+
			"that didn't see it", strings.Join(r.Unseen, ", "))
	}
	if len(r.Misplaced) > 0 {
		one := r.Misplaced[0]
		text += fmt.Sprintf("; copies of source queue %s lie in target queue %s, which is another lane's by now",
			one.Source, one.Target)
		if more := len(r.Misplaced) - 1; more > 0 {
			text += fmt.Sprintf(", and %d such queues more", more)
		}
	}
	return text
}

// Place is what commands about a topic need: the name servers of both sides, its name on each, the
// lanes' group, and the target's brokers.
type Place struct {
	Source, Target string // name servers
	Topic, Renamed string
	Group          string
	Brokers        []rocketmq.Broker
}

// Mend tells the commands of RocketMQ that mend it. target is the topic as it is there. They also
// set back the progress of lanes whose copies are deleted, since lanes that go both ways would
// otherwise go on after it.
func (r Remains) Mend(at Place, target map[string]rocketmq.TopicConfig) string {
	if r.Grow == nil {
		cluster := ""
		if len(at.Brokers) > 0 {
			cluster = at.Brokers[0].Cluster
		}
		return fmt.Sprintf(
			"if applications have written nothing to it on the target, stop the lanes, delete it there and set their "+
				"progress back, and all of it is copied anew: mqadmin deleteTopic -n '%s' -c %s -t '%s' && "+
				"mqadmin resetOffsetByTime -n '%s' -g %s -t '%s' -s 0; else give it another name on the "+
				"target (rename)",
			at.Target, cluster, at.Renamed, at.Source, at.Group, at.Topic)
	}
	perm := 0 // a broker that lacks the topic gets its permission from other brokers
	for _, config := range target {
		perm = max(perm, config.Perm)
	}
	var commands []string
	for _, b := range at.Brokers {
		if n, has := r.Grow[b.Name]; has {
			commands = append(commands, fmt.Sprintf("mqadmin updateTopic -n '%s' -b %s -t '%s' -r %d -w %d -p %d",
				at.Target, b.Addr, at.Renamed, n, n, perm))
		}
	}
	kept := ""
	if r.Copies {
		kept = "; its copies stay where they belong, and the rest is copied"
	}
	return "give it the queues that it lacks" + kept + ": " + strings.Join(commands, " && ")
}
