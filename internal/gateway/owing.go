package gateway

import (
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// recallOwed takes over what was owed before a restart.
func (g *Gateway) recallOwed() {
	if err := g.owing.Load(g.config.Dir); err != nil {
		g.log.Error("it serves all the same, and moves to the target aren't refused for what is owed",
			"cause", err)
	}
}

// owesAfter are the queues of a round's outcome as what is owed of them.
func owesAfter(rt *routing.Table, o *store.Outcome) (all []control.OwedQueue) {
	for _, h := range o.Homes {
		q := rt.QueueFor(h.Topic, h.Broker, h.Queue)
		one := control.OwedQueue{
			TopicQueue: q.Name(),
			Copied:     -1,
			Written:    q.Acked(routing.Target),
			Since:      time.Now(),
		}
		if lane := q.Lane(); lane != nil {
			one.Target = lane.Target
		}
		all = append(all, one)
	}
	return all
}

// owesFor takes note of what is owed of queues that come back in a round without the target, before
// anything is sent to the source.
func (g *Gateway) owesFor(r store.Round, o *store.Outcome) {
	if r.WithoutTarget && r.Kind == control.KindHome {
		g.owe(owesAfter(&g.table, o))
	}
}

// owe takes note of what is owed. That it can't be written is said: everybody goes by the round.
func (g *Gateway) owe(all []control.OwedQueue) {
	if err := g.owing.Owe(all); err != nil {
		g.log.Error("what the target owes isn't on disk", "queues", len(all), "cause", err)
	}
}
