package control

import (
	"slices"
	"time"

	"rocketshift/replicator/lane"
)

// OwedQueue is a queue that came back to the source while the target didn't answer. What was
// written to it on the target, and isn't copied yet, lies there until the target is back and the
// lanes have copied it. It comes to the source after what is sent meanwhile: order isn't kept
// between the two.
type OwedQueue struct {
	TopicQueue
	Target lane.Queue `json:"target"` // its replica
	// Copied is behind the last message there of which a copy was seen on the source; -1 if
	// unknown.
	Copied int64 `json:"copied"`
	// Written is behind the last message there that gateways have an acknowledgement of; 0 if
	// unknown.
	Written int64     `json:"written"`
	Since   time.Time `json:"since"` // when it came back
}

// And is what two gateways know of a queue.
func (q OwedQueue) And(o OwedQueue) OwedQueue {
	q.Copied, q.Written = max(q.Copied, o.Copied), max(q.Written, o.Written)
	return q
}

// SortedOwed are all queues, sorted; nil if there are none.
func SortedOwed(queues map[TopicQueue]OwedQueue) []OwedQueue {
	if len(queues) == 0 {
		return nil
	}
	all := make([]OwedQueue, 0, len(queues))
	for _, one := range queues {
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b OwedQueue) int { return CompareQueues(a.TopicQueue, b.TopicQueue) })
	return all
}

// owedBy is what the target owes, by what any gateway knows.
func owedBy(all []State) []OwedQueue {
	sum := map[TopicQueue]OwedQueue{}
	for _, s := range all {
		for _, one := range s.Owed {
			if was, there := sum[one.TopicQueue]; there {
				one = was.And(one)
			}
			sum[one.TopicQueue] = one
		}
	}
	return SortedOwed(sum)
}
