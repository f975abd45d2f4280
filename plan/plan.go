// Package plan is what a person writes and reviews before a migration: which topics and groups of
// which source go to which target, in which steps, and which of them wait for an approval.
//
// A plan is data, and this package is pure. It is read strictly (Parse): a key that nobody knows is
// a mistake of the writer, never something to skip. Then it is completed (WithDefaults), checked
// (Validate) and known by its Hash, which an approval is bound to. A plan names environment
// variables that hold secrets, never a secret.
package plan

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// Plan is one migration. The names of its workflows and of the lanes' consumer group derive from
// Name.
type Plan struct {
	Name      string         `json:"name,omitzero"`
	Source    Cluster        `json:"source"`
	Target    Target         `json:"target"`
	Topics    TopicSelection `json:"topics"`
	Groups    Selection      `json:"groups"`
	Traffic   Traffic        `json:"traffic"`
	Shift     Shift          `json:"shift"`
	Replicate Replicate      `json:"replicate"`
	// Approvals lists the gates that wait for a person. Absent means all, an empty list means none.
	Approvals []Gate `json:"approvals,omitzero"`
}

// Cluster is a cluster that exists, found through its name servers.
type Cluster struct {
	NameServers []string `json:"nameServers,omitzero"` // host:port
	// Cluster is the cluster's own name (brokerClusterName). It is needed where the name servers
	// know several.
	Cluster string `json:"cluster,omitempty"`
	// LeftOut are names of brokers that the migration doesn't look at: what they hold stays where
	// it is.
	LeftOut []string `json:"leftOut,omitempty"`
	// ReadSlaves are names of brokers that are read from a slave while they have no master.
	ReadSlaves []string `json:"readSlaves,omitempty"`
	// Advertised says where the worker reaches servers that advertise addresses which don't lead
	// there from where it runs: host:port by the advertised host:port.
	Advertised  map[string]string `json:"addresses,omitempty"`
	ID          string            `json:"id,omitempty"` // see Plan.SourceID
	Credentials *Credentials      `json:"credentials,omitempty"`
}

// Credentials says where the worker finds the keys: <Env>_ACCESS_KEY, <Env>_SECRET_KEY and, if set,
// <Env>_SECURITY_TOKEN.
type Credentials struct {
	Env string `json:"env,omitzero"`
}

// Target is the 5.x cluster to migrate to, and who provides it.
type Target struct {
	Provider    string            `json:"provider,omitzero"` // ProviderLocal or ProviderExisting
	NameServers []string          `json:"nameServers,omitempty"`
	Cluster     string            `json:"cluster,omitempty"`   // ProviderExisting: as in Cluster
	Advertised  map[string]string `json:"addresses,omitempty"` // ProviderExisting: as in Cluster
	// ProviderExisting: instead of NameServers, the remoting port of a 5.x proxy, host:port
	Proxy       string       `json:"proxy,omitempty"`
	ID          string       `json:"id,omitempty"` // see Plan.TargetID
	Credentials *Credentials `json:"credentials,omitempty"`
	Version     string       `json:"version,omitempty"` // ProviderLocal: of the broker to run
	Brokers     int          `json:"brokers,omitempty"` // ProviderLocal: how many to run
	Rename      *Rename      `json:"rename,omitempty"`  // nil: topics and groups have the same names there
}

// Providers of a target.
const (
	ProviderLocal    = "local"    // a cluster of its own, started on the worker's machine
	ProviderExisting = "existing" // a cluster that runs already
)

// Selection picks names by globs: what Include matches and Exclude does not.
type Selection struct {
	Include []string `json:"include,omitzero"`
	Exclude []string `json:"exclude,omitzero"`
}

// TopicSelection picks topics and says what can't be seen from the outside.
type TopicSelection struct {
	Selection
	// Types overrides the message type that Assess infers, by topic name.
	Types map[string]MessageType `json:"types,omitempty"`
	// Ordered are globs of topics whose order per queue must survive the producers' move, even if
	// nothing shows it.
	Ordered []string `json:"ordered,omitempty"`
}

// MessageType is the kind of messages that a 5.x topic accepts.
type MessageType string

// Message types of 5.x topics.
const (
	TypeNormal      MessageType = "NORMAL"
	TypeFIFO        MessageType = "FIFO"
	TypeDelay       MessageType = "DELAY"
	TypeTransaction MessageType = "TRANSACTION"
	TypeMixed       MessageType = "MIXED"
)

// Traffic says how applications come to the target.
type Traffic struct {
	Mode string `json:"mode,omitzero"` // ModeRelease or ModeGateway
	// Gateways are where the control APIs of the gateways are: host:port, or https://host:port of
	// those with a certificate; ModeGateway.
	Gateways []string `json:"gateways,omitempty"`
	// Credentials says where the worker finds the control APIs' token: <Env>_TOKEN.
	// ROCKETSHIFT_GATEWAY if absent.
	Credentials *Credentials `json:"credentials,omitempty"`
}

// Modes of the traffic.
const (
	ModeRelease = "release" // applications are re-pointed by their ordinary releases, step by step
	ModeGateway = "gateway" // applications are behind gateways, which move where they write and read
)

// GatewayToken is the environment variable that holds the token of the gateways' control APIs.
func (t Traffic) GatewayToken() string {
	if t.Credentials == nil {
		return "ROCKETSHIFT_GATEWAY_TOKEN"
	}
	return t.Credentials.Env + "_TOKEN"
}

// Shift says in which steps traffic moves.
type Shift struct {
	Steps  []int    `json:"steps,omitzero"`  // percent of the topics, strictly rising up to 100
	Soak   Duration `json:"soak,omitzero"`   // how long a step must stand before the next
	Settle Duration `json:"settle,omitzero"` // how long positions or put counters must stand still to count as settled
	// FenceBudget is how long a group may be refused on both sides in a move; then it is opened
	// where it was. 0 is a minute, or twice the settle time if that is longer, so that the hashes
	// of older plans stand.
	FenceBudget Duration `json:"fenceBudget,omitzero"`
}

// FenceLimit is the fence budget that holds.
func (s Shift) FenceLimit() time.Duration {
	if s.FenceBudget > 0 {
		return time.Duration(s.FenceBudget)
	}
	return max(defaultFenceBudget, 2*time.Duration(s.Settle))
}

// Replicate tunes the data plane.
type Replicate struct {
	// a long activity that is silent this long is started elsewhere
	Heartbeat     Duration `json:"heartbeat,omitzero"`
	BatchMessages int      `json:"batchMessages,omitzero"` // most messages in one batch to the target
	// activities for the lanes of one source broker, each on any worker; 0 is 1, so that the hashes
	// of older plans stand
	Shards int `json:"shards,omitzero"`
	// nothing is copied back to the source; a way back then waits for the groups
	OneWay bool `json:"oneWay,omitempty"`
	// born times of copies are exact also while a lane is behind, at the price of small batches
	ExactBorn    bool     `json:"exactBorn,omitempty"`
	SyncInterval Duration `json:"syncInterval,omitzero"` // between two refreshes of the groups' positions
}

// Gate is a step that may wait for a person.
type Gate string

// The gates. GateShift stands before each step of the shift.
const (
	GatePurchase Gate = "purchase"
	GateShift    Gate = "shift"
	GateFinalize Gate = "finalize"
)

// Gates are all gates, in the order in which a migration meets them.
func Gates() []Gate { return []Gate{GatePurchase, GateShift, GateFinalize} }

// Hash is 12 hex digits that change with every setting of the plan, written or defaulted. Those of
// older versions stand. A plan made by Normal has another hash than the one that it was made of.
func (p Plan) Hash() string {
	p = p.WithDefaults()
	if wasDefault(p.Replicate.Heartbeat) {
		p.Replicate.Heartbeat = hashedHeartbeat
	}
	b, err := json.Marshal(p)
	if err != nil { // a plan holds texts, numbers and lists: nothing that JSON can't say
		panic("plan: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// LaneGroup is the consumer group under which the lanes commit their progress on the source.
func (p Plan) LaneGroup() string { return "rocketshift-" + p.Name }

// SourceID names the source cluster in the stamps of copies. Where several migrations pass messages
// on, from A to B and from B to C, a cluster must have the same id in all of their plans, so that
// no message comes back to where it was.
func (p Plan) SourceID() string {
	return cmp.Or(p.Source.ID, ClusterID(withName(p.Source.NameServers, p.Source.Cluster)))
}

// TargetID names the target cluster in the stamps of copies.
func (p Plan) TargetID() string {
	if at := p.Target.Addresses(); len(at) > 0 {
		return cmp.Or(p.Target.ID, ClusterID(withName(at, p.Target.Cluster)))
	}
	return cmp.Or(p.Target.ID, p.Name)
}

// withName tells clusters with the same name servers apart.
func withName(addresses []string, cluster string) []string {
	if cluster == "" {
		return addresses
	}
	return append(slices.Clone(addresses), "cluster "+cluster)
}

// Hosts are all addresses that a cluster's keys are used with: where it is found, and where servers
// are reached that advertise other addresses.
func Hosts(addresses []string, advertised map[string]string) []string {
	return append(slices.Clone(addresses), slices.Sorted(maps.Values(advertised))...)
}

// Addresses are where a target that exists is found: its name servers, or the proxy that it is
// behind.
func (t Target) Addresses() []string {
	if t.Proxy != "" {
		return []string{t.Proxy}
	}
	return t.NameServers
}

// ClusterID is the id of a cluster that was given none: 8 hexadecimal digits, made of the addresses
// of its name servers in any order.
func ClusterID(nameServers []string) string {
	sum := sha256.Sum256([]byte(strings.Join(slices.Sorted(slices.Values(nameServers)), ",")))
	return hex.EncodeToString(sum[:4])
}

// WorkflowID is the id of the migration's workflow. It is fixed, so that a repeated start joins the
// running one.
func (p Plan) WorkflowID() string { return WorkflowID(p.Name) }

// WorkflowID is the workflow id of the migration with this name.
func WorkflowID(name string) string { return "migration-" + name }

// Ordered reports whether the plan itself says that the topic's order per queue must survive the
// producers' move.
func (p Plan) Ordered(topic string) bool {
	return p.Topics.Types[topic] == TypeFIFO || matchAny(p.Topics.Ordered, topic)
}
