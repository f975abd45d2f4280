package replicas

import (
	"slices"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Queues of both sides are pairs in client order, as many as there are on each side. Retry topics
// are pairs in another way, since brokers make them, each for itself, when a group's first member
// connects or its first message fails: a broker that was away, or gets a group later, changes their
// number. A key has no place in them. All that is needed is that members read every queue of the
// side that their group is on.

// LanesOf pairs the queues of a topic. masters are those of both sides; kept are the lanes so far.
func LanesOf(
	topic string,
	here, there []lane.Queue,
	masters [2][]string,
	kept map[lane.Queue]lane.Queue,
) ([]lane.Lane, error) {
	if _, retry := rocketmq.RetryGroup(topic); !retry {
		return lane.Pair(topic, here, there)
	}
	all := everywhere(here, masters)
	if len(all) > len(there) {
		return keptLanes(topic, here, there, kept), nil
	}
	lanes, err := lane.Pair(topic, all, there[:len(all)])
	return slices.DeleteFunc(lanes, func(l lane.Lane) bool { return !slices.Contains(here, l.Source) }), err
}

// everywhere are the queues of a retry topic as if each source broker had it, with a queue for each
// broker of the target: so the lanes are started (activities' grouptopics.go), and so a broker that
// gets its topic later changes no pair.
func everywhere(here []lane.Queue, masters [2][]string) (all []lane.Queue) {
	brokers := masters[routing.Source]
	if len(brokers) == 0 || len(here) == 0 {
		return here
	}
	queues := (len(masters[routing.Target]) + len(brokers) - 1) / len(brokers)
	for _, q := range here {
		queues = max(queues, q.ID+1)
	}
	for _, broker := range brokers {
		for id := range queues {
			all = append(all, lane.Queue{Broker: broker, ID: id})
		}
	}
	return all
}

// keptLanes pairs the queues of a retry topic of which the target has too few for each source
// broker: pairs stay as they are, and what is left is paired in its order. Queues of the source
// without a pair are read on the source, whichever side their group is on, until the target has
// more.
func keptLanes(topic string, here, there []lane.Queue, kept map[lane.Queue]lane.Queue) (lanes []lane.Lane) {
	taken := map[lane.Queue]bool{}
	pairs := map[lane.Queue]lane.Queue{}
	for _, q := range here {
		if at, has := kept[q]; has && slices.Contains(there, at) && !taken[at] {
			pairs[q], taken[at] = at, true
		}
	}
	free := slices.DeleteFunc(slices.Clone(there), func(q lane.Queue) bool { return taken[q] })
	for i, q := range here {
		if _, has := pairs[q]; !has && len(free) > 0 {
			pairs[q], free = free[0], free[1:]
		}
		if at, has := pairs[q]; has {
			lanes = append(lanes, lane.Lane{Topic: topic, Index: i, Source: q, Target: at})
		}
	}
	return lanes
}
