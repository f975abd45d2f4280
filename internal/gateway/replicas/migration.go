package replicas

import (
	"slices"
	"strings"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/positions"
)

// Migration is one with what is needed to carry it out.
type Migration struct {
	control.Migration
	TargetCluster *rocketmq.Cluster
	Positions     *positions.Positions
	Others        []control.Peer // the other gateways
	OrderedTopics map[string]bool
}

// Without are the other gateways of the migration that aren't of another version of it.
func (m *Migration) Without(next control.Migration) (gone []control.Peer) {
	for _, p := range m.Others {
		if !slices.ContainsFunc(next.Gateways, func(o control.Peer) bool { return o.Name == p.Name }) {
			gone = append(gone, p)
		}
	}
	return gone
}

// SameLanes reports whether the lanes of two versions of a migration are the same, between the same
// clusters.
func (m *Migration) SameLanes(o *Migration) bool {
	return m != nil && m.Name == o.Name && m.LaneGroup == o.LaneGroup && m.Source == o.Source && m.Target == o.Target &&
		m.SameTarget(o.Migration) && m.SamePart(o.Migration)
}

// Owns reports whether a group is one of the migration's own: that of the lanes, or one that is
// named after it, for their way back, for what applications have left, or for fences.
func (m *Migration) Owns(group string) bool {
	rest, ours := strings.CutPrefix(group, m.LaneGroup)
	return ours && (rest == "" || rest[0] == '-')
}
