package control

import (
	"slices"
	"time"

	"rocketshift/internal/gateway/memory"
)

// Bounds is how a gateway stands to its bounds, for people who run it.
type Bounds struct {
	memory.Standing
	// Reached counts, by bound, how often clients have come up against it.
	Reached map[string]int64 `json:"reached"`
	// Topics are those with too many queues, with how many they have: what clients do with them
	// passes as it is.
	Topics map[string]int64 `json:"topics,omitempty"`
}

// Bypass is a producer that writes past the gateways of the migration.
type Bypass struct {
	Topic    string    `json:"topic"`
	Side     string    `json:"side"`     // to which it writes
	Address  string    `json:"address"`  // where its messages were born, as the broker says
	Messages int       `json:"messages"` // that were found of it: not all are looked at
	Last     time.Time `json:"last"`     // when one was found last
}

// Distinct are names in their order, each once.
func Distinct(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// State is what a gateway says of itself.
type State struct {
	Gateway    string      `json:"gateway"`
	Epoch      int64       `json:"epoch"`
	NameServer string      `json:"nameServer"` // where clients find it
	Migration  *Migration  `json:"migration,omitempty"`
	Authority  string      `json:"authority"` // the side that says who a group's members are
	Clients    []Connected `json:"clients"`   // behind the gateway, by id and access key
	Homes      Homes       `json:"homes"`
	Owed       []OwedQueue `json:"owed,omitempty"` // that came back while the target didn't answer
	Groups     []GroupSide `json:"groups"`
	Bypass     []Bypass    `json:"bypass"` // producers that write past the gateways

	ClientsMore int `json:"clientsMore,omitempty"` // that aren't listed: there are too many
	GroupsMore  int `json:"groupsMore,omitempty"`

	BypassUnknown string `json:"bypassUnknown,omitempty"` // why these can't be found

	Mixed []MixedGroup `json:"mixed,omitempty"` // groups with members behind gateways and past them

	Memory Bounds `json:"memory"` // how it stands to its bounds

	Round string `json:"round,omitempty"` // of a move, that it takes part in
	Doubt bool   `json:"doubt,omitempty"` // whether that was decided isn't known; sends to ordered topics are refused
	// StateProblem is why what it decided isn't on its disk: nothing moves meanwhile.
	StateProblem string `json:"stateProblem,omitempty"`

	// VIPProblems are brokers to which Java clients up to 4.5.0 can't send here, with what to do.
	VIPProblems []string `json:"vipProblems,omitempty"`

	// no broker of either side renews its lease; sends to ordered topics are refused
	Fenced bool `json:"fenced,omitempty"`
}

// Connected is a client of an application.
type Connected struct {
	ID      string `json:"id"`
	Address string `json:"address"` // of one of its connections

	AccessKey string `json:"accessKey,omitempty"` // that it signs with
	Problem   string `json:"problem,omitempty"`   // why it can't follow to the target

	// Groups and Topics are those that it reads with, and writes to, of a client with a problem:
	// what this shares in doesn't move.
	Groups []string `json:"groups,omitempty"`
	Topics []string `json:"topics,omitempty"`
	More   int      `json:"more,omitempty"` // of these that aren't told
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

	Broadcasting bool `json:"broadcasting,omitempty"` // its members keep their positions themselves
}

// MixedGroup is a group with members behind the gateway and members past it.
type MixedGroup struct {
	Group     string       `json:"group"`
	Past      []string     `json:"past"`                // members past the gateway, as "client at address"
	Contested []HeldQueue  `json:"contested,omitempty"` // queues that several members hold, look after look
	Unread    []TopicQueue `json:"unread,omitempty"`    // queues that none holds, look after look
	Problem   string       `json:"problem,omitempty"`   // why nobody knows
	More      int          `json:"more,omitempty"`      // members past the gateway that aren't told
}

// HeldQueue is a queue with the members that hold it.
type HeldQueue struct {
	TopicQueue
	Members []string `json:"members"`
}

// ClientKey tells clients apart that say they have the same id, which everybody with a key may.
type ClientKey struct{ ID, AccessKey string }
