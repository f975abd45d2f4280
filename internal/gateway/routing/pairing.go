package routing

import (
	"fmt"

	"rocketshift/replicator/lane"
)

// Kept are the lanes of a topic so far.
func (t *Topic) Kept() map[lane.Queue]lane.Queue {
	all := map[lane.Queue]lane.Queue{}
	for _, q := range t.All() {
		if lane := q.Lane(); lane != nil {
			all[lane.Source] = lane.Target
		}
	}
	return all
}

// Pair gives the queues their lanes. What is in use keeps the lane that it has: by another one,
// offsets would mean other messages.
func (t *Topic) Pair(lanes []lane.Lane, problem string, inUse func(*Queue) bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.problem = problem
	for i := range lanes {
		queues := t.queues[lanes[i].Source.Broker]
		if lanes[i].Source.ID >= len(queues) {
			continue
		}
		q := queues[lanes[i].Source.ID]
		switch have := q.Lane(); {
		case have == nil:
			q.SetLane(&lanes[i])
		case have.Target == lanes[i].Target:
			if *have != lanes[i] {
				q.SetLane(&lanes[i])
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
			q.SetLane(&lanes[i])
		}
	}
}
