package control

import (
	"errors"
	"fmt"
	"slices"
)

// Migration is what the gateway must know to move anything: the other cluster, and the names that
// the lanes' copies are stamped with.
type Migration struct {
	Name        string   `json:"name"`
	LaneGroup   string   `json:"laneGroup"`
	Source      string   `json:"source"` // ids of both clusters in stamps
	Target      string   `json:"target"`
	NameServers []string `json:"nameServers"` // of the target
	// Cluster is the target's own name (brokerClusterName), where its name servers know several.
	Cluster string `json:"cluster,omitempty"`
	// SourceCluster and LeftOut say which of the source's brokers the lanes read: those of this
	// cluster, where its name servers know several, but for those of these names.
	SourceCluster string   `json:"sourceCluster,omitempty"`
	LeftOut       []string `json:"leftOut,omitempty"`
	// Proxy is the remoting port of the target's 5.x proxy, host:port, where its brokers can't be
	// reached; then without NameServers.
	Proxy string `json:"proxy,omitempty"`
	// Gateways are all of the migration, this one among them; none if it is the only one.
	Gateways []Peer `json:"gateways,omitempty"`
	// Ordered are the topics whose order must hold even while gateways can't agree; nil: all.
	Ordered []string `json:"ordered"`
}

// Check says what is wrong with a migration that a gateway of this name is to carry out.
func (m Migration) Check(gateway string) error {
	switch {
	case m.Name == "" || m.LaneGroup == "" || m.Source == "" || m.Target == "":
		return errors.New("migration: name, laneGroup, source and target must be given")
	case (len(m.NameServers) == 0) == (m.Proxy == ""):
		return errors.New("migration: either nameServers of the target or proxy must be given")
	}
	names := map[string]bool{}
	for _, p := range m.Gateways {
		if p.Name == "" || p.Control == "" || names[p.Name] {
			return fmt.Errorf(
				"migration: gateways: each needs a name of its own and the address of its control API; %q at %q",
				p.Name, p.Control,
			)
		}
		names[p.Name] = true
	}
	if len(names) > 0 && !names[gateway] {
		return fmt.Errorf("migration: gateways doesn't name this one, %s", gateway)
	}
	return nil
}

// SameTarget reports whether the target is the same, at the same addresses.
func (m Migration) SameTarget(o Migration) bool {
	return slices.Equal(m.NameServers, o.NameServers) && m.Cluster == o.Cluster && m.Proxy == o.Proxy
}

// Peer is a gateway of a migration.
type Peer struct {
	Name string `json:"name"`
	// host:port or https://host:port of its control API, as the others reach it
	Control string `json:"control"`
}
