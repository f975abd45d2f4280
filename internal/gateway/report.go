package gateway

import "rocketshift/replicator"

// State is what a gateway says of itself.
type State struct {
	Gateway    string      `json:"gateway"`
	Epoch      int64       `json:"epoch"`
	NameServer string      `json:"nameServer"` // where clients find it
	Migration  *Migration  `json:"migration,omitempty"`
	Clients    int         `json:"clients"` // connections
	Homes      Homes       `json:"homes"`
	Groups     []GroupSide `json:"groups"`
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
}

// State says how everything is now.
func (g *Gateway) State() State {
	s := State{Gateway: g.config.Name, Epoch: g.moves.epoch.Load(), NameServer: g.NameServer(), Groups: []GroupSide{}, Homes: Homes{Away: []TopicQueue{}}}
	if m := g.migration.Load(); m != nil {
		s.Migration = &m.Migration
	}
	s.Clients = len(g.all())
	for _, t := range g.topics.all() {
		for _, q := range t.all() {
			if q.at() == source {
				s.Homes.Source++
				continue
			}
			s.Homes.Target++
			s.Homes.Away = append(s.Homes.Away, TopicQueue{q.topic, replicator.Queue{Broker: q.broker, ID: q.id}})
		}
	}
	for _, one := range g.groups.all() {
		side := GroupSide{Group: one.name}
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
	return s
}
