package fleet

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"rocketshift/internal/gateway/control"
)

// owedNamed is how many queues are named one by one.
const owedNamed = 5

// Owed is what lies on the target since queues returned to the source without it. It is copied when
// the target is back, after what was sent to the source since.
type Owed struct {
	Queues int `json:"queues"`
	// Known is how many messages gateways know of that weren't seen copied; of Unknown queues
	// nobody knows.
	Known   int64 `json:"known"`
	Unknown int   `json:"unknown"`
	// First names some of the queues, with the position on the target up to which they are copied.
	First []string `json:"first,omitempty"`
	// Ordered are the first topics among them whose order isn't kept.
	Ordered []string `json:"ordered,omitempty"`
}

// String says it in words.
func (o Owed) String() string {
	if o.Queues == 0 {
		return "nothing is owed"
	}
	text := fmt.Sprintf("what was written to %d queues on the target and isn't copied yet: %d messages "+
		"that are known of, and in %d queues nobody knows how many", o.Queues, o.Known, o.Unknown)
	if len(o.Ordered) > 0 {
		text += fmt.Sprintf("; of ordered topics it comes after what is sent meanwhile: %s",
			strings.Join(o.Ordered, ", "))
	}
	text += fmt.Sprintf(" (%s)", strings.Join(o.First, "; "))
	return text
}

// OwedOf sums queues up, those first of which most is known to be owed.
func OwedOf(queues []control.OwedQueue, ordered []string) (o Owed) {
	open := func(q control.OwedQueue) int64 {
		if q.Copied < 0 || q.Written == 0 {
			return 0
		}
		return max(0, q.Written-q.Copied)
	}
	slices.SortStableFunc(queues, func(a, b control.OwedQueue) int { return cmp.Compare(open(b), open(a)) })
	for _, q := range queues {
		o.Queues++
		o.Known += open(q)
		copied := fmt.Sprintf("copied up to %d", q.Copied)
		if q.Copied < 0 {
			copied = "copied up to where isn't known"
		}
		if q.Copied < 0 || q.Written == 0 {
			o.Unknown++
		}
		if len(o.First) < owedNamed {
			o.First = append(o.First, fmt.Sprintf("%s %s, %s", q.Topic, q.Target, copied))
		}
		if slices.Contains(ordered, q.Topic) && !slices.Contains(o.Ordered, q.Topic) && len(o.Ordered) < owedNamed {
			o.Ordered = append(o.Ordered, q.Topic)
		}
	}
	return o
}
