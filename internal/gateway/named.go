package gateway

import (
	"slices"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
)

// queuesOf are the queues that a move names.
func (g *Gateway) queuesOf(m control.Move) (all []*routing.Queue, err error) {
	of := func(name string) (*routing.Topic, error) {
		t := g.table.Topics.Get([]byte(name))
		if t == nil {
			return nil, control.Refused("topic %s isn't on the source", name)
		}
		// the way back needs the lanes that it came by
		if problem := t.Reason(); problem != "" && m.To != routing.Source.String() {
			return nil, control.Refused("%s", problem)
		}
		if n := t.Vast.Load(); n > 0 && m.To == routing.Target.String() {
			return nil, control.Refused("%s", replicas.TooVast(name, n, routing.Source))
		}
		if young := time.Since(t.Since); young < lossTime && !g.started(t) {
			return nil, control.Refused("topic %s is new: wait %s", name, (lossTime - young).Round(time.Second))
		}
		return t, nil
	}
	for _, name := range m.Topics {
		t, err := of(name)
		if err != nil {
			return nil, err
		}
		all = append(all, t.All()...)
	}
	for _, one := range m.Queues {
		t, err := of(one.Topic)
		if err != nil {
			return nil, err
		}
		q := t.Queue([]byte(one.Broker), int64(one.ID))
		if q == nil {
			return nil, control.Refused("topic %s has no queue %s", one.Topic, one.Queue)
		}
		if !slices.Contains(all, q) {
			all = append(all, q)
		}
	}
	if len(all) == 0 {
		return nil, control.Refused("no queues are named")
	}
	return all, nil
}

// started reports whether the topic was known before any client was served.
func (g *Gateway) started(t *routing.Topic) bool { return t.Since.Before(g.serving) }
