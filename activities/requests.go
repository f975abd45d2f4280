package activities

import (
	"time"

	"rocketshift/internal/instance"
	"rocketshift/plan"
	"rocketshift/replicator"
)

// Request is what every activity gets: the plan tells both sides, what is selected and the limits. It never holds a secret.
type Request struct {
	Plan plan.Plan `json:"plan"`
}

// Side names one of the two clusters.
type Side string

// The two sides of a migration.
const (
	Source Side = "source"
	Target Side = "target"
)

// Finding is something that Assess saw. A refusal stops the migration before anything is bought or written.
type Finding struct {
	Refusal bool   `json:"refusal"`
	Object  string `json:"object"`
	Cause   string `json:"cause"`
	Next    string `json:"next"`
}

// Topic is one selected topic of the source.
type Topic struct {
	Name     string           `json:"name"`
	Queues   int              `json:"queues"`
	Messages int64            `json:"messages"`
	Type     plan.MessageType `json:"type"`
	// Ordered says that the order of each queue must survive the producers' move: the plan says so, or an orderly group reads it.
	Ordered bool     `json:"ordered,omitempty"`
	Readers []string `json:"readers,omitempty"`
}

// Group is one selected consumer group of the source.
type Group struct {
	Name    string   `json:"name"`
	Topics  []string `json:"topics,omitempty"`
	Members int      `json:"members"`
	Orderly bool     `json:"orderly,omitempty"`
}

// ClientVersion counts the connected clients of one SDK version.
type ClientVersion struct {
	Kind     string `json:"kind"` // producer or consumer
	Language string `json:"language"`
	Version  string `json:"version"`
	Clients  int    `json:"clients"`
}

// Assessment is the inventory of the source and what speaks against a migration.
type Assessment struct {
	SourceVersion string          `json:"sourceVersion"`
	SourceBrokers []string        `json:"sourceBrokers"`
	Topics        []Topic         `json:"topics"`
	Groups        []Group         `json:"groups"`
	Clients       []ClientVersion `json:"clients,omitempty"`
	Findings      []Finding       `json:"findings,omitempty"`
	MeasuredAt    time.Time       `json:"measuredAt"`
}

// Refusals counts the findings that stop a migration.
func (a Assessment) Refusals() int {
	n := 0
	for _, f := range a.Findings {
		if f.Refusal {
			n++
		}
	}
	return n
}

// PurchaseResult is the target as it runs.
type PurchaseResult = instance.Instance

// MetadataDiff is what ImportMetadata would do.
type MetadataDiff struct {
	CreateTopics []string  `json:"createTopics,omitempty"`
	CreateGroups []string  `json:"createGroups,omitempty"`
	Same         int       `json:"same"`
	Conflicts    []Finding `json:"conflicts,omitempty"`
}

// MetadataRequest applies one chunk of a diff.
type MetadataRequest struct {
	Request
	Topics []string `json:"topics,omitempty"`
	Groups []string `json:"groups,omitempty"`
	// Assessment's types and order marks, by topic: a closed (read-only) ordered topic opens only after its drain.
	Types   map[string]plan.MessageType `json:"types,omitempty"`
	Ordered []string                    `json:"ordered,omitempty"`
}

// MetadataResult says what one chunk changed. A repeated chunk creates nothing.
type MetadataResult struct {
	CreatedTopics int `json:"createdTopics"`
	CreatedGroups int `json:"createdGroups"`
}

// ReplicateRequest is the forward lanes of one source broker.
type ReplicateRequest struct {
	Request
	Broker string `json:"broker"`
}

// ReplicationState is how far all lanes of the plan are, measured on the brokers (lane group's offsets), not in the replicator.
type ReplicationState struct {
	Lanes    int       `json:"lanes"`
	Lag      int64     `json:"lag"`
	Worst    string    `json:"worst,omitempty"` // the lane with the most lag
	Measured time.Time `json:"measured"`
}

// VerifyRequest compares the lanes of some topics.
type VerifyRequest struct {
	Request
	Topics []string `json:"topics"`
}

// Verification sums lane reports. Clean means that nothing is missing, extra, altered or out of order.
type Verification struct {
	Lanes      int       `json:"lanes"`
	Compared   int64     `json:"compared"`
	Natives    int64     `json:"natives"`
	Missing    int64     `json:"missing"`
	Extra      int64     `json:"extra"`
	Altered    int64     `json:"altered"`
	OutOfOrder int64     `json:"outOfOrder"`
	Examples   []string  `json:"examples,omitempty"`
	Measured   time.Time `json:"measured"`
}

// Clean reports whether the comparison found no difference and compared every lane.
func (v Verification) Clean() bool {
	return v.Missing == 0 && v.Extra == 0 && v.Altered == 0 && v.OutOfOrder == 0
}

// GroupsRequest names groups and, where it matters, the side to act on.
type GroupsRequest struct {
	Request
	Side   Side     `json:"side"`
	Groups []string `json:"groups"`
}

// TopicsRequest names topics and, where it matters, the side to act on.
type TopicsRequest struct {
	Request
	Side   Side     `json:"side"`
	Topics []string `json:"topics"`
}

// GroupPositions is what was translated and written for one group.
type GroupPositions struct {
	Group  string `json:"group"`
	Queues int    `json:"queues"`
	Exact  int    `json:"exact"`
}

// Members counts a group's connected clients on both sides.
type Members struct {
	Group  string   `json:"group"`
	Source int      `json:"source"`
	Target int      `json:"target"`
	Where  []string `json:"where,omitempty"` // addresses of those still on the side that they should leave, first 5
}

// AwaitMoveRequest waits until applications have left From. Released says that the pipeline reported it done.
type AwaitMoveRequest struct {
	Request
	From     Side     `json:"from"`
	Groups   []string `json:"groups,omitempty"`
	Topics   []string `json:"topics,omitempty"`
	Released bool     `json:"released,omitempty"`
}

// WaveCheck is the evidence of a soak: everything of the wave stands where it should.
type WaveCheck struct {
	SourcePuts  int64     `json:"sourcePuts"` // messages that by-passing producers wrote on the side left, since the settle time began
	TargetPuts  int64     `json:"targetPuts"`
	Lag         int64     `json:"lag"`
	MembersLeft int       `json:"membersLeft"`
	Measured    time.Time `json:"measured"`
}

// WaveRequest is one wave to check.
type WaveRequest struct {
	Request
	Wave plan.Wave `json:"wave"`
}

// LedgerRow is one kind of unfinished business on the source.
type LedgerRow struct {
	Kind   string `json:"kind"` // lag, retry, dead letters, delayed, half messages, consumers, producers
	Object string `json:"object"`
	Rest   int64  `json:"rest"`
	Detail string `json:"detail,omitempty"`
}

// Ledger is the list of what is still unfinished on the source before it may be retired.
type Ledger struct {
	Rows     []LedgerRow `json:"rows"` // rests above zero first; a kind without rest is one row with Rest 0
	Rest     int64       `json:"rest"`
	Measured time.Time   `json:"measured"`
}

// Survey is what Rollback must undo, read from the brokers.
type Survey struct {
	FencedGroups []string `json:"fencedGroups,omitempty"` // fenced on the source
	MovedTopics  []string `json:"movedTopics,omitempty"`  // topics with natives on the target
}

// ReportRequest writes the report of a migration. Document is the status as the workflow ends.
type ReportRequest struct {
	Name     string `json:"name"`
	Document any    `json:"document"`
}

// ReportResult is where the report lies, relative to the project or the worker's report folder.
type ReportResult struct {
	Path string `json:"path"`
}

// ReplicationProgress is the heartbeat of a Replicate activity.
type ReplicationProgress struct {
	Broker string `json:"broker"`
	replicator.Progress
}

// SyncProgress is the heartbeat and the result of the SyncOffsets activity.
type SyncProgress struct {
	Rounds  int64     `json:"rounds"`
	Groups  int       `json:"groups"`  // refreshed in the last round
	Skipped int       `json:"skipped"` // active on the target, or fenced on the source: the move owns their positions
	Written int64     `json:"written"`
	Waiting string    `json:"waiting,omitempty"`
	At      time.Time `json:"at"`
}
