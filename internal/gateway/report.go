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
	if m := g.sides.migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	s.Memory = g.Bounds()
	s.Fenced, s.StateProblem = g.lease.Fenced(), g.StateProblem()
	s.VIPProblems = g.VIPProblems()
	s.Round, s.Doubt = g.rounds.UnderWay()
	s.Authority = g.table.authority().String()
	s.Bypass, s.BypassUnknown = g.checks.bypassing.list()
	s.Clients, s.ClientsMore = control.ListClients(maps.Values(g.registry.connected()))
	for _, t := range g.table.topics.all() {
		for _, q := range t.all() {
			if q.at() == routing.Source {
				s.Homes.Source++
				continue
			}
			s.Homes.Target++
			s.Homes.Away = append(s.Homes.Away,
				control.TopicQueue{Topic: q.topic, Queue: lane.Queue{Broker: q.broker, ID: q.id}})
		}
	}
	s.Owed = g.owing.All()
	s.Mixed = g.checks.split.report()
	here := g.membersHere()
	for _, one := range g.table.groups.all() {
		side := control.GroupSide{Group: one.name, Broadcasting: here[one.name]}
		for _, v := range one.all() {
			v.mu.Lock()
			if v.side == routing.Source {
				side.Source++
			} else {
				side.Target++
			}
			v.mu.Unlock()
		}
		s.Groups = append(s.Groups, side)
	}
	s.Groups, s.GroupsMore = control.ListGroups(s.Groups, here)
	return s
}
