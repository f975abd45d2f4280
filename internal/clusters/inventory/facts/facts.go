// Package facts is what one look at the source saw, for whoever judges it. Each area of findings is
// a package beside this one: it asks for what it needs besides, through Sides, and judges all of it.
package facts

import (
	"context"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// Facts are what was seen. Names are those of the source.
type Facts struct {
	Plan    plan.Plan
	At      time.Time // when it was seen
	Brokers []rocketmq.Broker
	// Configured are the source's brokers as they tell their settings.
	Configured []brokerconfig.Broker
	Topics     clusters.TopicTable
	Groups     clusters.GroupTable
	// TopicNames and GroupNames are those that the plan selects, sorted.
	TopicNames, GroupNames []string
	Positions              map[string]clusters.Committed
	Online                 map[string]clusters.Connections           // by group, selected or not
	Producers              map[string]map[string]rocketmq.Connection // by producer group and client id
	Orderly                map[string]bool                           // groups with an orderly member
	Samples                map[string]metadata.Sample                // by selected topic
	Types                  map[string]plan.MessageType               // of the selected topics, as the target gets them
	Readers                map[string][]string                       // selected groups by the topics that they read
	Routes                 map[string]rocketmq.Route                 // what name servers show clients
	Messages               map[string]int64                          // stored, by selected topic
	// Ranges are what each queue holds, by selected topic.
	Ranges map[string]map[lane.Queue]rocketmq.QueueRange
	// Members are what members say of themselves, by group and client id, as far as they were asked
	// and answered.
	Members map[string]map[string]Member
	// Runtime is what each source broker tells of itself (GET_BROKER_RUNTIME_INFO), by broker name.
	Runtime map[string]map[string]string
	Watched *Watched // what observation saw before; nil without any
	Target  Target
}

// Member is what a member of a group says of itself.
type Member struct {
	Orderly       bool
	FromWhere     string // consumeFromWhere, as its SDK names it; empty if it doesn't say
	Strategy      string // class that allocates queues to members; empty if it doesn't say
	Subscriptions []rocketmq.Subscription
}

// MemberOf reads a member's account. Java's consumers list all their own settings in it.
func MemberOf(info rocketmq.RunningInfo) Member {
	class, _, _ := strings.Cut(info.Properties["allocateMessageQueueStrategy"], "@")
	return Member{
		Orderly:       info.Orderly(),
		FromWhere:     info.Properties["consumeFromWhere"],
		Strategy:      class,
		Subscriptions: info.Subscriptions,
	}
}

// Watched is what was seen of the source over a longer time.
type Watched struct {
	Clients             []Client
	Sends, Receives     float64 // peaks per second
	SendsAt, ReceivesAt time.Time
	Span                time.Duration // how long was looked altogether
}

// Target is a target that exists already; without brokers it doesn't.
type Target struct {
	Brokers    []rocketmq.Broker
	Configured []brokerconfig.Broker
}

// Sides are open, for what an area asks besides. Target is nil where there is none yet.
type Sides struct {
	Source, Target *clusters.One
	Tell           func(string) // says how far it is
}

// Area finds what speaks against a migration in one field. It may ask both sides; everything that
// it asks is bounded, and read-only.
type Area func(ctx context.Context, sides Sides, seen Facts) ([]api.Finding, error)
