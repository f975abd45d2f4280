package gateway

import (
	"fmt"
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

// lanesOf pairs the queues of a topic. masters are those of both sides; kept are the lanes so far.
func lanesOf(
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

// kept are the lanes of a topic so far.
func (t *topic) kept() map[lane.Queue]lane.Queue {
	all := map[lane.Queue]lane.Queue{}
	for _, q := range t.all() {
		if lane := q.lane.Load(); lane != nil {
			all[lane.Source] = lane.Target
		}
	}
	return all
}

// pair gives the queues their lanes. What is in use keeps the lane that it has: by another one,
// offsets would mean other messages.
func (t *topic) pair(lanes []lane.Lane, problem string, inUse func(*queue) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.problem = problem
	for i := range lanes {
		queues := t.queues[lanes[i].Source.Broker]
		if lanes[i].Source.ID >= len(queues) {
			continue
		}
		q := queues[lanes[i].Source.ID]
		switch have := q.lane.Load(); {
		case have == nil:
			q.lane.Store(&lanes[i])
		case have.Target == lanes[i].Target:
			if *have != lanes[i] {
				q.lane.Store(&lanes[i])
			}
		case inUse(q):
			t.problem = fmt.Sprintf(
				"queue %s is used with %s of the target, and is to be paired with %s: bring its home and its "+
					"groups back to the source first",
				q,
				have.Target,
				lanes[i].Target,
			)
		default:
			q.lane.Store(&lanes[i])
		}
	}
}

// inUse reports whether a queue's home or a group has been on the target, so that offsets are
// shifted by its lane.
func (rt *routingTable) inUse(q *queue) bool {
	if q.at() == routing.Target {
		return true
	}
	return slices.ContainsFunc(rt.groups.all(), func(one *group) bool {
		v := one.known(q)
		return v != nil && v.reads() == routing.Target
	})
}

// staysBehind reports whether a group's view stays on the source when the group moves: a retry
// queue that the target has no pair of.
func (v *view) staysBehind(to routing.Side) bool {
	_, retry := rocketmq.RetryGroup(v.queue.topic)
	return retry && to == routing.Target && v.queue.lane.Load() == nil
}

// unseen says which retries members behind gateways don't see once their group is on the target; ""
// if they see all.
func (rt *routingTable) unseen(group string, to routing.Side) string {
	t := rt.topics.get([]byte(rocketmq.RetryTopic(group)))
	if t == nil || to == routing.Source || t.beyond.Load() <= 0 {
		return ""
	}
	return fmt.Sprintf(
		"group %s: members behind gateways don't see %d queues of %s on the target, where retries may wait "+
			"until the source has as many",
		group,
		t.beyond.Load(),
		t.name,
	)
}
