package gateway

import (
	"maps"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/replicator/lane"
)

// State says how everything is now.
func (g *Gateway) State() control.State {
	s := control.State{
		Gateway:    g.config.Name,
		Epoch:      g.moves.epoch.Load(),
		NameServer: g.NameServer(),
		Groups:     []control.GroupSide{},
		Homes:      control.Homes{Away: []control.TopicQueue{}},
	}
	if m := g.sides.Migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	s.Memory = g.Bounds()
	s.Fenced, s.StateProblem = g.lease.Fenced(), g.StateProblem()
	s.VIPProblems = g.VIPProblems()
	s.Round, s.Doubt = g.rounds.UnderWay()
	s.Authority = g.table.Authority().String()
	s.Bypass, s.BypassUnknown = g.checks.Bypassing.List()
	s.Clients, s.ClientsMore = control.ListClients(maps.Values(g.clients.registry.connected()))
	for _, t := range g.table.Topics.All() {
		for _, q := range t.All() {
			if q.At() == routing.Source {
				s.Homes.Source++
				continue
			}
			s.Homes.Target++
			s.Homes.Away = append(s.Homes.Away,
				control.TopicQueue{Topic: q.Topic, Queue: lane.Queue{Broker: q.Broker, ID: q.ID}})
		}
	}
	s.Owed = g.owing.All()
	s.Mixed = g.checks.Split.Report()
	here := g.clients.membersHere()
	for _, one := range g.table.Groups.All() {
		side := control.GroupSide{Group: one.Name, Broadcasting: here[one.Name]}
		for _, v := range one.All() {
			if v.Reads() == routing.Source {
				side.Source++
			} else {
				side.Target++
			}
		}
		s.Groups = append(s.Groups, side)
	}
	s.Groups, s.GroupsMore = control.ListGroups(s.Groups, here)
	return s
}
