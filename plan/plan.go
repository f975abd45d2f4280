// Package plan is what a person writes and reviews before a migration: which topics and groups of
// which source go to which target, in which steps, and which steps wait for an approval.
//
// A plan is data, and this package does no work with clusters. Parse reads it strictly: an unknown
// key is a mistake of the writer. WithDefaults completes it, Validate checks it, and approvals are
// bound to its Hash. A plan names the environment variables that hold secrets; it never holds a
// secret.
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

// Plan is one migration. The names of its workflows and of the lanes' consumer group are made of
// Name.
type Plan struct {
	Name     string         `json:"name,omitzero"`
	Source   Cluster        `json:"source"`
	Target   Target         `json:"target"`
	Topics   TopicSelection `json:"topics"`
	Groups   Selection      `json:"groups"`
	Metadata Metadata       `json:"metadata,omitzero"`
	// Users are taken along if it is given.
	Users     *Users    `json:"users,omitempty"`
	Traffic   Traffic   `json:"traffic"`
	Shift     Shift     `json:"shift"`
	Replicate Replicate `json:"replicate"`
	// Approvals lists the gates that wait for a person. Absent means all, an empty list means none.
	Approvals []Gate `json:"approvals,omitzero"`
}

// Cluster is a cluster that exists, found through its name servers.
type Cluster struct {
	NameServers []string `json:"nameServers,omitzero"` // host:port
	// Cluster is the cluster's own name (brokerClusterName). It is needed where the name servers
	// know several.
	Cluster string `json:"cluster,omitempty"`
	// LeftOut are names of brokers that the migration ignores: what they hold stays there.
	LeftOut []string `json:"leftOut,omitempty"`
	// ReadSlaves are names of brokers that are read from a slave while they have no master.
	ReadSlaves []string `json:"readSlaves,omitempty"`
	// Advertised is where the worker reaches servers whose advertised addresses it can't reach:
	// host:port by the advertised host:port.
	Advertised  map[string]string `json:"addresses,omitempty"`
	ID          string            `json:"id,omitempty"` // see Plan.SourceID
	Credentials *Credentials      `json:"credentials,omitempty"`
}

// Credentials says where the worker finds the keys: <Env>_ACCESS_KEY, <Env>_SECRET_KEY and, if set,
// <Env>_SECURITY_TOKEN.
type Credentials struct {
	Env string `json:"env,omitzero"`
}

// CredentialsOf are those of a prefix; nil, which is none, of an empty one.
func CredentialsOf(env string) *Credentials {
	if env == "" {
		return nil
	}
	return &Credentials{Env: env}
}

// Target is the 5.x cluster to migrate to, and who provides it.
type Target struct {
	Provider    string            `json:"provider,omitzero"` // ProviderLocal, ProviderExisting or ProviderAliyun
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
	// MaxDelay is the longest delay that the target takes, where it doesn't tell: Assess judges the
	// delays of the source by it.
	MaxDelay Duration `json:"maxDelay,omitzero"`
	Aliyun   *Aliyun  `json:"aliyun,omitempty"` // ProviderAliyun: what to buy
}

// Providers of a target.
const (
	ProviderLocal    = "local"    // a cluster of its own, started on the worker's machine
	ProviderExisting = "existing" // a cluster that runs already
	ProviderAliyun   = "aliyun"   // an instance of ApsaraMQ for RocketMQ 5.x, which is bought
)

// Selection picks names by globs: what Include matches and Exclude does not.
type Selection struct {
	Include []string `json:"include,omitzero"`
	Exclude []string `json:"exclude,omitzero"`
}

// TopicSelection picks topics, and says what can't be read from the source.
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

// Traffic says how applications are moved to the target.
type Traffic struct {
	Mode string `json:"mode,omitzero"` // ModeRelease or ModeGateway
	// Gateways are the addresses of the gateways' control APIs: host:port, or https://host:port for
	// those with a certificate; ModeGateway.
	Gateways []string `json:"gateways,omitempty"`
	// Credentials says where the worker finds the control APIs' token: <Env>_TOKEN.
	// ROCKETSHIFT_GATEWAY if absent.
	Credentials *Credentials `json:"credentials,omitempty"`
}

// Modes of the traffic.
const (
	ModeRelease = "release" // ordinary releases give applications the target's address, step by step
	ModeGateway = "gateway" // applications connect to gateways, which change where they write and read
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
	Steps []int    `json:"steps,omitzero"` // percent of the topics, strictly rising up to 100
	Soak  Duration `json:"soak,omitzero"`  // how long a step must stand before the next
	// how long positions or put counters must stay unchanged to count as settled
	Settle Duration `json:"settle,omitzero"`
	// FenceBudget is how long both sides may refuse a group in a move; then the side where it was
	// serves it again. 0 is a minute, or twice the settle time if that is longer; older plans keep
	// their hashes so.
	FenceBudget Duration `json:"fenceBudget,omitzero"`
}

// FenceLimit is the fence budget, or its default.
func (s Shift) FenceLimit() time.Duration {
	if s.FenceBudget > 0 {
		return time.Duration(s.FenceBudget)
	}
	return max(defaultFenceBudget, 2*time.Duration(s.Settle))
}

// Replicate tunes the data plane.
type Replicate struct {
	// a long activity that sends no heartbeat for so long is started elsewhere
	Heartbeat     Duration `json:"heartbeat,omitzero"`
	BatchMessages int      `json:"batchMessages,omitzero"` // most messages in one batch to the target
	// activities for the lanes of one source broker, each on any worker; 0 is 1, by which older
	// plans keep their hashes
	Shards int `json:"shards,omitzero"`
	// nothing is copied back to the source; going back then waits for the groups
	OneWay bool `json:"oneWay,omitempty"`
	// born times of copies are exact also while a lane has a lag, at the price of small batches
	ExactBorn    bool     `json:"exactBorn,omitempty"`
	SyncInterval Duration `json:"syncInterval,omitzero"` // between two refreshes of the groups' positions
}

// Gate is a step that may wait for a person.
type Gate string

// The gates. GateShift comes before each step of the shift.
const (
	GatePurchase Gate = "purchase"
	GateShift    Gate = "shift"
	GateFinalize Gate = "finalize"
)

// Gates are all gates, in the order in which a migration meets them.
func Gates() []Gate { return []Gate{GatePurchase, GateShift, GateFinalize} }

// Hash is 12 hex digits that change with every setting of the plan, written or defaulted. Plans of
// older releases keep their hashes. A plan made by Normal has another hash than the plan that it
// was made from.
func (p Plan) Hash() string {
	p = p.WithDefaults()
	if wasDefault(p.Replicate.Heartbeat) {
		p.Replicate.Heartbeat = hashedHeartbeat
	}
	b, err := json.Marshal(p)
	if err != nil { // a plan holds only texts, numbers and lists, which JSON can write
		panic("plan: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:6])
}

// LaneGroup is the consumer group under which the lanes commit their progress on the source.
func (p Plan) LaneGroup() string { return "rocketshift-" + p.Name }

// SourceID names the source cluster in the stamps of copies. Where several migrations pass messages
// on, from A to B and from B to C, a cluster must have the same id in all their plans, so that no
// message comes back to its origin.
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

// Hosts are all addresses at which a cluster's keys are used: its own, and those at which servers
// with other advertised addresses are reached.
func Hosts(addresses []string, advertised map[string]string) []string {
	return append(slices.Clone(addresses), slices.Sorted(maps.Values(advertised))...)
}

// Proxied reports whether only a proxy of the target can be reached, not its brokers.
func (t Target) Proxied() bool { return t.Proxy != "" || t.Provider == ProviderAliyun }

// Addresses are those of a target that exists: its name servers, or its proxy.
func (t Target) Addresses() []string {
	if t.Proxy != "" {
		return []string{t.Proxy}
	}
	return t.NameServers
}

// ClusterID is the id of a cluster without a given one: 8 hexadecimal digits, made of the addresses
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
