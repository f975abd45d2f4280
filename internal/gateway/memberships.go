package gateway

import (
	"net/netip"
	"slices"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/memory"
)

// membersHere are the groups with members behind the gateway that have asked about queues; whether
// they are broadcasting ones. Heartbeats name groups without end, and brokers let them.
func (ss *sessions) membersHere() map[string]bool {
	groups := map[string]bool{}
	for _, s := range ss.registry.all() {
		s.mu.Lock()
		reads := s.reads
		s.mu.Unlock()
		for _, m := range reads {
			if _, asks := ss.table.Groups.Known([]byte(m.Group)); asks {
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

// groupsByAddress are the groups with members here that have asked about queues, by the addresses
// that these come from. Each member of a broadcasting one reads everything, so none of those.
func (ss *sessions) groupsByAddress() map[netip.Prefix][]string {
	here, all := ss.membersHere(), map[netip.Prefix][]string{}
	for _, s := range ss.registry.all() {
		of := memory.PrefixOf(connections.AddressOf(s.conn))
		s.mu.Lock()
		reads := s.reads
		s.mu.Unlock()
		for _, m := range reads {
			if broadcasts, asks := here[m.Group]; asks && !broadcasts {
				all[of] = append(all[of], m.Group)
			}
		}
	}
	return all
}
