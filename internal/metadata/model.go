package metadata

import (
	"time"

	"rocketshift/internal/metadata/rights"
)

// Kind and Version say which model a document holds. The version changes when documents that an
// earlier release wrote would be read otherwise.
const (
	Kind    = "ClusterMetadata"
	Version = 1
)

// Cluster is the metadata of one cluster. Its lists are sorted by names and have no duplicates.
type Cluster struct {
	Kind    string `json:"kind"`    // always ClusterMetadata
	Version int    `json:"version"` // of the model, 1
	Origin  Origin `json:"origin,omitzero"`

	Brokers       []Broker       `json:"brokers,omitempty"`
	Topics        []Topic        `json:"topics,omitempty"`
	Groups        []Group        `json:"groups,omitempty"`
	Subscriptions []Subscription `json:"subscriptions,omitempty"`
	Order         []Order        `json:"order,omitempty"`
	KV            []KV           `json:"kv,omitempty"`
	Users         []rights.User  `json:"users,omitempty"` // without secrets
}

// Origin says where the metadata comes from.
type Origin struct {
	Door string `json:"door,omitempty"` // which reader made it: cluster, mqadmin, store, xlsx, acl, file
	Of   string `json:"of,omitempty"`   // its name servers, or its files
	// when it was read; absent where two exports of the same state must be the same bytes
	Measured time.Time `json:"measured,omitzero"`
}

// Broker is a master, or the name of a group of brokers with the same data.
type Broker struct {
	Name    string `json:"name"`
	Cluster string `json:"cluster,omitempty"` // brokerClusterName
	Version string `json:"version,omitempty"` // such as 4.9.7
}

// Topic is a topic with its settings. Brokers can hold different settings of a topic, but only the
// queues are kept by broker: of everything else the first broker's counts, and a Gap says so.
type Topic struct {
	Name string      `json:"name"`
	Type MessageType `json:"type,omitempty"` // which messages 5.x accepts there; absent if nobody said it
	// by broker; absent where the door knows no brokers
	Queues []Queues `json:"queues,omitempty"`
	// the queues of all brokers together, where nothing tells which broker has how many
	Sum        *Queues           `json:"sum,omitempty"`
	Order      *bool             `json:"order,omitempty"`      // the order flag
	Filter     string            `json:"filter,omitempty"`     // SINGLE_TAG or MULTI_TAG
	SysFlag    *int              `json:"sysFlag,omitempty"`    // topicSysFlag
	Attributes map[string]string `json:"attributes,omitempty"` // of 5.x, without message.type
	Remark     string            `json:"remark,omitempty"`     // what a console's user wrote
}

// Queues are a topic's numbers of queues on one broker, and what clients may do with them.
type Queues struct {
	Broker string `json:"broker,omitempty"`
	Read   int    `json:"read"`           // readQueueNums
	Write  int    `json:"write"`          // writeQueueNums
	Perm   int    `json:"perm,omitempty"` // 2 write, 4 read, 6 both; absent if none of these
}

// MessageType is the kind of messages that a 5.x topic accepts (TopicMessageType).
type MessageType string

// MessageTypes are those that a model may name.
func MessageTypes() []MessageType {
	return []MessageType{"NORMAL", "FIFO", "DELAY", "TRANSACTION", "MIXED", "LITE", "PRIORITY"}
}

// Group is a consumer group with its settings. What brokers say differently is told by a Gap, and
// the first one's counts.
type Group struct {
	Name string `json:"name"`
	// the brokers that have it; absent if all have it, or nobody knows
	Brokers   []string `json:"brokers,omitempty"`
	Orderly   *bool    `json:"orderly,omitempty"` // messages of a queue are delivered in order; 5.x only
	Retry     Retry    `json:"retry,omitzero"`
	Consume   *bool    `json:"consume,omitempty"`   // consumeEnable: false refuses every pull
	Broadcast *bool    `json:"broadcast,omitempty"` // consumeBroadcastEnable: members may broadcast
	FromMin   *bool    `json:"fromMin,omitempty"`   // consumeFromMinEnable
	// notifyConsumerIdsChangedEnable: members are told when others come or go
	Notify     *bool  `json:"notify,omitempty"`
	BrokerID   *int64 `json:"brokerId,omitempty"`   // brokerId: 0 is the master
	SlowBroker *int64 `json:"slowBroker,omitempty"` // whichBrokerWhenConsumeSlowly
	// consumeTimeoutMinute of 5.x
	TimeoutMinutes *int              `json:"timeoutMinutes,omitempty"`
	SysFlag        *int              `json:"sysFlag,omitempty"` // groupSysFlag of 5.x
	Attributes     map[string]string `json:"attributes,omitempty"`
	Protocol       string            `json:"protocol,omitempty"` // TCP or HTTP, of a 4.x console
	Remark         string            `json:"remark,omitempty"`
}

// Retry says how often and when a message that failed is delivered again.
type Retry struct {
	MaxTimes *int `json:"maxTimes,omitempty"` // retryMaxTimes
	Queues   *int `json:"queues,omitempty"`   // retryQueueNums: of the group's retry topic
	// DEFAULT by the broker's delay levels, FIXED, EXPONENTIAL, or CUSTOMIZED
	Policy       RetryPolicy `json:"policy,omitempty"`
	Milliseconds []int64     `json:"milliseconds,omitempty"` // FIXED: one; CUSTOMIZED: before each try
	Initial      *int64      `json:"initial,omitempty"`      // EXPONENTIAL: before the first, milliseconds
	Max          *int64      `json:"max,omitempty"`          // EXPONENTIAL: the longest, milliseconds
	Multiplier   *int64      `json:"multiplier,omitempty"`   // EXPONENTIAL
	// the topic that takes what failed too often, if it isn't the group's own dead-letter topic
	DeadLetterTopic string `json:"deadLetterTopic,omitempty"`
}

// RetryPolicy is how the time between two tries is chosen.
type RetryPolicy string

// Retry policies: those of brokers (GroupRetryPolicyType) and of consoles.
const (
	RetryDefault     RetryPolicy = "DEFAULT"
	RetryFixed       RetryPolicy = "FIXED"
	RetryExponential RetryPolicy = "EXPONENTIAL"
	RetryCustomized  RetryPolicy = "CUSTOMIZED"
)

// Subscription says that a group reads a topic.
type Subscription struct {
	Group      string `json:"group"`
	Topic      string `json:"topic"`
	Type       string `json:"type,omitempty"`       // TAG or SQL92; absent if the filter isn't known
	Expression string `json:"expression,omitempty"` // * is everything
	Seen       Seen   `json:"seen,omitempty"`
}

// Seen is the evidence of a subscription.
type Seen string

// Evidence of subscriptions, best first.
const (
	SeenMembers   Seen = "members"   // members that were connected asked for it
	SeenSettings  Seen = "settings"  // the group's settings name it (5.x)
	SeenPositions Seen = "positions" // only a position is left: the group read it once
)

// Order is the order configuration of a topic: which brokers' queues producers and consumers see,
// such as "broker-a:4;broker-b:4" (namespace ORDER_TOPIC_CONFIG of name servers).
type Order struct {
	Topic  string `json:"topic"`
	Queues string `json:"queues"`
}

// KV is any other key of name servers.
type KV struct {
	Namespace string `json:"namespace"`
	Key       string `json:"key"`
	Value     string `json:"value"`
}

// OrderNamespace is where name servers keep the order configuration.
const OrderNamespace = "ORDER_TOPIC_CONFIG"

// New is an empty model of that origin.
func New(origin Origin) Cluster { return Cluster{Kind: Kind, Version: Version, Origin: origin} }
