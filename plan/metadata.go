package plan

import (
	"maps"
	"slices"
	"strings"
)

// Metadata says what happens where the target has a topic or group with other settings than
// wanted, and where the source's change after they were brought over.
type Metadata struct {
	// Conflicts is the decision for every topic and group that has none of its own; refuse if
	// absent.
	Conflicts Decision            `json:"conflicts,omitzero"`
	Topics    map[string]Decision `json:"topics,omitempty"` // by names on the source
	Groups    map[string]Decision `json:"groups,omitempty"`
	// Drift says what happens to settings of groups that change on the source while lanes run, and
	// to new groups; report if absent. New topics and queues are brought over in any case: lanes need them.
	Drift Drift `json:"drift,omitzero"`
	// KV are namespaces of the source's name servers whose keys the target's name servers get, as
	// they are. The order configuration needs none: it is translated.
	KV []string `json:"kv,omitempty"`
}

// Decision is what happens to an object of the target that isn't as wanted.
type Decision string

// The decisions.
const (
	DecisionRefuse Decision = "refuse" // nothing is changed, and the migration says what differs
	DecisionKeep   Decision = "keep"   // the target's stays as it is, where lanes can pair with it
	DecisionChange Decision = "change" // the target's gets the wanted settings, where that is safe
)

// Drift is what happens to new groups, and to settings that change on the source.
type Drift string

// The kinds.
const (
	DriftReport Drift = "report"
	DriftFollow Drift = "follow" // until the group has moved to the target
)

// TopicDecision is what happens to a topic of the target that isn't as wanted.
func (m Metadata) TopicDecision(topic string) Decision { return m.decision(m.Topics, topic) }

// GroupDecision is the same for a group.
func (m Metadata) GroupDecision(group string) Decision { return m.decision(m.Groups, group) }

func (m Metadata) decision(of map[string]Decision, name string) Decision {
	if own, given := of[name]; given {
		return own
	}
	return either(m.Conflicts, DecisionRefuse)
}

// withDefaults leaves everything absent that is, so that plans without the key keep their hashes.
func (m Metadata) withDefaults() Metadata {
	m.Topics, m.Groups = cloned(m.Topics), cloned(m.Groups)
	if m.KV = slices.Clone(m.KV); len(m.KV) == 0 {
		m.KV = nil
	}
	return m
}

func readMetadata(o *object, m *Metadata) {
	o.object("metadata", func(o *object) {
		var conflicts, drift string
		o.text("conflicts", &conflicts)
		o.text("drift", &drift)
		m.Conflicts, m.Drift = Decision(conflicts), Drift(drift)
		byName(o, "topics", &m.Topics)
		byName(o, "groups", &m.Groups)
		o.texts("kv", &m.KV)
	})
}

func checkMetadata(c *Problems, m Metadata) {
	checkDecision(c, "metadata.conflicts", either(m.Conflicts, DecisionRefuse))
	for path, of := range map[string]map[string]Decision{"metadata.topics": m.Topics, "metadata.groups": m.Groups} {
		for _, name := range slices.Sorted(maps.Keys(of)) {
			at := join(path, name)
			checkDecision(c, at, of[name])
			if strings.ContainsAny(name, "*?") || !globForm.MatchString(name) {
				c.add(at, "the key must be one name, without wildcards")
			}
		}
	}
	switch m.Drift {
	case "", DriftReport, DriftFollow:
	default:
		c.add("metadata.drift", "%s; allowed: %s, %s", given(string(m.Drift)), DriftReport, DriftFollow)
	}
	for i, namespace := range m.KV {
		if namespace == "" || namespace == orderNamespace {
			c.add(join("metadata.kv", ""), "entry %d is %s; want namespaces of name servers, and not "+
				"%s, which is brought over by itself", i+1, given(namespace), orderNamespace)
		}
	}
}

// orderNamespace is that of the order configuration.
const orderNamespace = "ORDER_TOPIC_CONFIG"

func checkDecision(c *Problems, path string, d Decision) {
	switch d {
	case DecisionRefuse, DecisionKeep, DecisionChange:
	default:
		c.add(path, "%s; allowed: %s, %s, %s", given(string(d)), DecisionRefuse, DecisionKeep, DecisionChange)
	}
}
