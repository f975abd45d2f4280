package activities

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
	"rocketshift/internal/clusters/connect"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/gateway"
)

const (
	// returnedTogether is how many queues return at once without the target: nothing is waited for,
	// and each move is written to disk once.
	returnedTogether = 1000
	// returnBudget is for a return without the target: each gateway takes up to half a second to
	// see that this doesn't answer.
	returnBudget = 2 * moveBudget
	// owedNamed is how many queues are named one by one.
	owedNamed = 5
)

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

// OwedRequest asks for what is owed.
type OwedRequest struct {
	Request
	Ordered api.Names `json:"ordered,omitzero"` // the ordered topics, as far as they are known
}

// Owed is what the target owes, by what the gateways know.
func (g *Gateways) Owed(ctx context.Context, r OwedRequest) (_ Owed, err error) {
	defer explained(&err)
	client, err := g.settings.clusters().Fleet(r.Plan)
	if err != nil {
		return Owed{}, err
	}
	state, err := client.State(ctx)
	if err != nil {
		return Owed{}, connect.ExplainGateway(ctx, err)
	}
	ordered, err := lists.Resolve(ctx, g.settings.Store, r.Ordered)
	if err != nil { // a name less is told
		ordered = nil
	}
	ours := r.Plan.WithDefaults().Topics.Match
	return owedOf(slices.DeleteFunc(slices.Clone(state.Owed), func(q gateway.OwedQueue) bool {
		return !ours(q.Topic)
	}), ordered), nil
}

// owedOf sums queues up, those first of which most is known to be owed.
func owedOf(queues []gateway.OwedQueue, ordered []string) (o Owed) {
	open := func(q gateway.OwedQueue) int64 {
		if q.Copied < 0 || q.Written == 0 {
			return 0
		}
		return max(0, q.Written-q.Copied)
	}
	slices.SortStableFunc(queues, func(a, b gateway.OwedQueue) int { return cmp.Compare(open(b), open(a)) })
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
