package gateway

import (
	"maps"

	"rocketshift/replicator/lane"
)

// State is what a gateway says of itself.
type State struct {
	Gateway    string      `json:"gateway"`
	Epoch      int64       `json:"epoch"`
	NameServer string      `json:"nameServer"` // where clients find it
	Migration  *Migration  `json:"migration,omitempty"`
	Authority  string      `json:"authority"` // the side that says who a group's members are
	Clients    []Connected `json:"clients"`   // behind the gateway, by id and access key
	Homes      Homes       `json:"homes"`
	Owed       []OwedQueue `json:"owed,omitempty"` // that came back while the target didn't answer
	Groups     []GroupSide `json:"groups"`
	Bypass     []Bypass    `json:"bypass"` // producers that write past the gateways

	ClientsMore int `json:"clientsMore,omitempty"` // that aren't listed: there are too many
	GroupsMore  int `json:"groupsMore,omitempty"`

	BypassUnknown string `json:"bypassUnknown,omitempty"` // why these can't be found

	Mixed []MixedGroup `json:"mixed,omitempty"` // groups with members behind gateways and past them

	Memory Bounds `json:"memory"` // how it stands to its bounds

	Round string `json:"round,omitempty"` // of a move, that it takes part in
	Doubt bool   `json:"doubt,omitempty"` // whether that was decided isn't known; sends to ordered topics are refused
	// StateProblem is why what it decided isn't on its disk: nothing moves meanwhile.
	StateProblem string `json:"stateProblem,omitempty"`

	// VIPProblems are brokers to which Java clients up to 4.5.0 can't send here, with what to do.
	VIPProblems []string `json:"vipProblems,omitempty"`

	// no broker of either side renews its lease; sends to ordered topics are refused
	Fenced bool `json:"fenced,omitempty"`
}

// Connected is a client of an application.
type Connected struct {
	ID      string `json:"id"`
	Address string `json:"address"` // of one of its connections

	AccessKey string `json:"accessKey,omitempty"` // that it signs with
	Problem   string `json:"problem,omitempty"`   // why it can't follow to the target

	// Groups and Topics are those that it reads with, and writes to, of a client with a problem:
	// what this shares in doesn't move.
	Groups []string `json:"groups,omitempty"`
	Topics []string `json:"topics,omitempty"`
	More   int      `json:"more,omitempty"` // of these that aren't told
}

// Homes counts queues by their homes.
type Homes struct {
	Source int          `json:"source"`
	Target int          `json:"target"`
	Away   []TopicQueue `json:"away"` // those whose home is the target
}

// GroupSide is from where a group reads.
type GroupSide struct {
	Group  string `json:"group"`
	Source int    `json:"source"` // queues that it reads from the source
	Target int    `json:"target"`

	Broadcasting bool `json:"broadcasting,omitempty"` // its members keep their positions themselves
}

// State says how everything is now.
func (g *Gateway) State() State {
	s := State{
		Gateway:    g.config.Name,
		Epoch:      g.moves.epoch.Load(),
		NameServer: g.NameServer(),
		Groups:     []GroupSide{},
		Homes:      Homes{Away: []TopicQueue{}},
	}
	if m := g.migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	s.Memory = g.Bounds()
	s.Fenced, s.StateProblem = g.fenced.Load(), g.StateProblem()
	s.VIPProblems = g.VIPProblems()
	s.Round, s.Doubt = g.underWay()
	s.Authority = g.authority().String()
	s.Bypass, s.BypassUnknown = g.bypassing.list()
	s.Clients, s.ClientsMore = listed(maps.Values(g.connected()))
	for _, t := range g.topics.all() {
		for _, q := range t.all() {
			if q.at() == source {
				s.Homes.Source++
				continue
			}
			s.Homes.Target++
			s.Homes.Away = append(s.Homes.Away, TopicQueue{q.topic, lane.Queue{Broker: q.broker, ID: q.id}})
		}
	}
	s.Owed = g.owing.all()
	s.Mixed = g.split.report()
	here := g.membersHere()
	for _, one := range g.groups.all() {
		side := GroupSide{Group: one.name, Broadcasting: here[one.name]}
		for _, v := range one.all() {
			v.mu.Lock()
			if v.side == source {
				side.Source++
			} else {
				side.Target++
			}
			v.mu.Unlock()
		}
		s.Groups = append(s.Groups, side)
	}
	s.Groups, s.GroupsMore = listedGroups(s.Groups, here)
	return s
}
