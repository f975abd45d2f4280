package gateway

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// remoteParticipant is another gateway's part in rounds.
type remoteParticipant struct{ *control.Client }

func (r remoteParticipant) Prepare(ctx context.Context, round store.Round) (known store.Prepared, err error) {
	return known, r.Call(ctx, http.MethodPost, "/v1/rounds/prepare", round, &known)
}

func (r remoteParticipant) Ready(ctx context.Context, id string, o store.Outcome) error {
	return r.Call(ctx, http.MethodPost, "/v1/rounds/ready", store.Ended{ID: id, Outcome: &o}, &struct{}{})
}

func (r remoteParticipant) Commit(ctx context.Context, id string) error {
	return r.Call(ctx, http.MethodPost, "/v1/rounds/commit", store.Ended{ID: id}, &struct{}{})
}

func (r remoteParticipant) Abort(ctx context.Context, id string) error {
	return r.Call(ctx, http.MethodPost, "/v1/rounds/abort", store.Ended{ID: id}, &struct{}{})
}

func (r remoteParticipant) Replica(ctx context.Context) (is store.Replica, err error) {
	return is, r.Call(ctx, http.MethodGet, "/v1/replica", nil, &is)
}

func (g *Gateway) clientOf(p control.Peer) *control.Client {
	g.clients.registry.mu.Lock()
	defer g.clients.registry.mu.Unlock()
	if g.peerClients == nil {
		g.peerClients = map[string]*control.Client{}
	}
	c := g.peerClients[p.Control]
	if c == nil {
		access := g.config.Peers
		access.Token = g.config.Token
		c = control.NewClient(p.Control, access)
		g.peerClients[p.Control] = c
	}
	return c
}

// replica is what this gateway has decided.
func (g *Gateway) Replica() store.Replica {
	round, _ := g.rounds.UnderWay() // first: a round that has ended shows in what was decided
	is := g.snapshot()
	is.Brokers, is.Clusters = nil, nil // each finds them by itself
	return store.Replica{Gateway: g.config.Name, Round: round, Owed: g.owing.All(), State: is}
}

// sync takes over what other gateways have decided without this one hearing of it: it was away, or
// new.
func (g *Gateway) sync(ctx context.Context) {
	for _, p := range g.sides.Peers() {
		asking, cancel := context.WithTimeout(ctx, rounds.AskTime)
		is, err := remoteParticipant{g.clientOf(p)}.Replica(asking)
		cancel()
		switch {
		case err != nil:
			if g.clients.figures.said.peers.Due(p.Name) {
				g.log.Warn("another gateway doesn't say how it stands", "peer", p.Name, "cause", err)
			}
		case is.Gateway != p.Name:
			if !g.clients.figures.said.peers.Due(p.Name) {
				continue
			}
			g.log.Error("another gateway has another name than it should", "peer", p.Name, "control", p.Control,
				"name", is.Gateway)
		case is.Epoch > g.moves.epoch.Load():
			if err := errors.Join(is.Numbers(), is.Sides()); err != nil {
				if g.clients.figures.said.peers.Due(p.Name) {
					g.log.Error("another gateway says what can't be", "peer", p.Name, "cause", err)
				}
				continue
			}
			g.adopt(ctx, is)
		}
	}
}

// adopt takes over a later state than this gateway's own.
func (g *Gateway) adopt(ctx context.Context, is store.Replica) {
	id := fmt.Sprintf("adopt-%d", is.Epoch)
	// how that ends says whether there is anything to take over
	if now, _ := g.rounds.Occupy(id, is.Gateway); now != "" {
		return
	}
	homes := &holding{hold: routing.NewHold()}
	defer func() {
		g.rounds.Vacate(id)
		homes.release()
	}()
	g.table.LearnLanes(is.Lanes)
	o := g.difference(is.State)
	if err := g.canGoBy(o); err != nil {
		if g.clients.figures.said.peers.Due(is.Gateway) {
			g.log.Error("what another gateway has decided can't be taken over yet", "from", is.Gateway, "cause", err)
		}
		return
	}
	var queues []*routing.Queue
	for _, h := range o.Homes {
		queues = append(queues, g.table.QueueFor(h.Topic, h.Broker, h.Queue))
	}
	homes = g.holdAll(queues)
	settling, cancel := context.WithTimeout(ctx, control.UsualBudget)
	defer cancel()
	_, _ = g.settle(settling, homes, nil) // what was sent to a side that was left reaches the other one, late
	if len(is.Targets) > 0 {
		g.sides.Targets.Store(&is.Targets)
	}
	g.owe(is.Owed)
	defer g.table.AuthorityChanges()()
	g.apply(o)
	g.log.Info("took over what other gateways had decided", "from", is.Gateway, "epoch", is.Epoch, "homes",
		len(o.Homes), "views", len(o.Views))
	if err := g.save(); err != nil {
		g.log.Error("what other gateways had decided isn't on disk", "cause", err)
	}
}

// difference is what makes this gateway's state another one.
func (g *Gateway) difference(is store.State) *store.Outcome {
	o := &store.Outcome{Epoch: is.Epoch, Homes: is.Homes, Views: is.Views, Authority: is.Authority}
	now := g.snapshot()
	for _, h := range now.Homes {
		if !slices.ContainsFunc(is.Homes,
			func(o store.Home) bool { return o.Topic == h.Topic && o.Broker == h.Broker && o.Queue == h.Queue }) {
			h.Home, h.Shift = routing.Source.String(), 0
			o.Homes = append(o.Homes, h)
		}
	}
	for _, v := range now.Views {
		if !slices.ContainsFunc(is.Views, v.SameQueue) {
			v.Side, v.Shift, v.Proved = routing.Source.String(), [2]int64{}, 0
			o.Views = append(o.Views, v)
		}
	}
	return o
}

// agreeOnTargets takes over the order in which who leads numbers target brokers, unless tags with
// other numbers may be on their way.
func (g *Gateway) agreeOnTargets(theirs []string) error {
	before := g.sides.Targets.Load()
	ours := *before
	if slices.Equal(ours, theirs) || theirs == nil {
		return nil
	}
	for i, name := range ours {
		if (i >= len(theirs) || theirs[i] != name) && g.used(name) {
			return control.Refused(
				"gateway %s numbers target broker %s otherwise: %v, and not %v; bring everything back to the "+
					"source, and start it with an empty folder",
				g.config.Name,
				name,
				ours,
				theirs,
			)
		}
	}
	theirs = slices.Clone(theirs)
	for _, name := range ours {
		if !slices.Contains(theirs, name) {
			theirs = append(theirs, name)
		}
	}
	g.sides.Targets.Store(&theirs)
	err := g.save()
	if err != nil {
		g.sides.Targets.CompareAndSwap(&theirs, before)
	}
	return err
}

// used reports whether anything is on a target broker, so that clients may hold tags of it.
func (g *Gateway) used(broker string) bool { return len(g.queuesOn(broker)) > 0 }

// queuesOn are the queues with something on a target broker.
func (g *Gateway) queuesOn(broker string) (all []*routing.Queue) {
	s := g.snapshot()
	add := func(topic, source string, id int) {
		q := g.table.QueueFor(topic, source, id)
		if lane := q.Lane(); lane != nil && lane.Target.Broker == broker {
			all = append(all, q)
		}
	}
	for _, h := range s.Homes {
		add(h.Topic, h.Broker, h.Queue)
	}
	for _, v := range s.Views {
		add(v.Topic, v.Broker, v.Queue)
	}
	return all
}

// askPeers asks the other gateways of the migration one after the other, until one of them doesn't
// answer.
func (g *Gateway) askPeers(ctx context.Context, ask func(context.Context, control.Peer, *control.Client) error) error {
	for _, p := range g.sides.Peers() {
		asking, cancel := context.WithTimeout(ctx, rounds.AskTime)
		err := ask(asking, p, g.clientOf(p))
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}
