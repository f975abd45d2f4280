package gateway

import (
	"slices"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
)

// membersHere are the groups with members behind the gateway that have asked about queues; whether
// they are broadcasting ones. Heartbeats name groups without end, and brokers let them.
func (g *Gateway) membersHere() map[string]bool {
	groups := map[string]bool{}
	for _, s := range g.registry.all() {
		s.mu.Lock()
		reads := s.reads
		s.mu.Unlock()
		for _, m := range reads {
			if _, asks := g.table.Groups.Known([]byte(m.Group)); asks {
				groups[m.Group] = m.Model == bodies.Broadcasting
			}
		}
	}
	return groups
}

// membersOf are the members of a group behind this gateway, by their ids.
func (sr *sessionRegistry) membersOf(group string) map[string]control.Connected {
	all := map[string]control.Connected{}
	for _, s := range sr.all() {
		s.mu.Lock()
		client, key, reads := s.client, s.accessKey, s.reads
		s.mu.Unlock()
		if slices.ContainsFunc(reads, func(m bodies.Membership) bool { return m.Group == group }) {
			all[client] = control.Connected{
				ID: client, Address: s.conn.RemoteAddr().String(),
				AccessKey: key,
			}
		}
	}
	return all
}
