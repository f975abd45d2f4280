package fleet

import (
	"cmp"
	"slices"

	"rocketshift/internal/gateway/control"
	"rocketshift/replicator/lane"
)

// HomesOf are the queues of the topics.
func HomesOf(ours func(string) bool, all []control.TopicQueue) []control.TopicQueue {
	return slices.DeleteFunc(slices.Clone(all),
		func(q control.TopicQueue) bool { return !ours(q.Topic) })
}

// PercentOf is so many percent of n, rounded up.
func PercentOf(n, percent int) int { return (n*percent + 99) / 100 }

// HomesToMove compares where homes are with where they are to be.
func HomesToMove(
	lanes []lane.Lane, percent int, away []control.TopicQueue,
) (toTarget, toSource []control.TopicQueue) {
	ordered := slices.SortedFunc(slices.Values(lanes), func(a, b lane.Lane) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(a.Topic, b.Topic))
	})
	is := map[control.TopicQueue]bool{}
	for _, q := range away {
		is[q] = true
	}
	upTo := PercentOf(len(ordered), percent)
	for i, lane := range ordered {
		q := control.TopicQueue{Topic: lane.Topic, Queue: lane.Source}
		switch {
		case i < upTo && !is[q]:
			toTarget = append(toTarget, q)
		case i >= upTo && is[q]:
			toSource = append(toSource, q)
		}
	}
	return toTarget, toSource
}

// Reached is the highest of the steps for which so many homes of so many queues are enough.
func Reached(homes, queues int, steps []int) (step int) {
	for _, s := range steps {
		if need := PercentOf(queues, s); need > 0 && homes >= need {
			step = s
		}
	}
	return step
}
