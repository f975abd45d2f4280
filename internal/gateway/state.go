package gateway

import (
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// save writes what the gateway has decided.
func (g *Gateway) save() error { return g.state.Save(g.snapshot) }

func (g *Gateway) snapshot() store.State {
	defer g.table.Decides()()
	s := store.State{
		Epoch:     g.moves.epoch.Load(),
		Ports:     g.clients.ports.numbers(),
		Targets:   *g.sides.Targets.Load(),
		Authority: g.table.Authority().String(),
		Homes:     []store.Home{},
		Views:     []store.View{},
		Moves:     g.moves.newest(savedMoves),
	}
	s.Brokers, s.Clusters = g.sides.KnownAddresses(), g.sides.KnownClusters()
	if m := g.sides.Migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	if next := g.sides.Intended.Load(); next != nil {
		s.Migration = next
	}
	s.Open = g.rounds.Open()
	lanes := map[*routing.Queue]bool{}
	for _, t := range g.table.Topics.All() {
		for _, q := range t.All() {
			if home, shift := q.At(), q.Shift(); home != routing.Source || shift != 0 {
				s.Homes, lanes[q] = append(s.Homes, homeOf(q)), true
			}
		}
	}
	for _, one := range g.table.Groups.All() {
		for _, v := range one.All() {
			if is := viewAsIs(v); is.Side != routing.Source.String() || is.Shift != [2]int64{} {
				s.Views, lanes[v.Queue] = append(s.Views, is), true
			}
		}
	}
	for q := range lanes {
		if lane := q.Lane(); lane != nil {
			s.Lanes = append(s.Lanes, *lane)
		}
	}
	return s
}

// restore takes over what was decided before a restart.
func (g *Gateway) restore(s store.State) {
	g.recallOwed()
	g.table.LearnLanes(s.Lanes)
	if s.Open != nil {
		g.table.LearnLanes(s.Open.Outcome.Lanes)
	}
	for _, was := range s.Moves {
		g.moves.remember(was)
	}
	g.apply(&store.Outcome{Epoch: s.Epoch, Homes: s.Homes, Views: s.Views, Authority: s.Authority})
}

// reached tells tests how far a round is.
func (g *Gateway) reached(phase string) {
	if g.atPhase != nil {
		g.atPhase(phase)
	}
}
