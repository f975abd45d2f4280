package api

import (
	"time"

	"rocketshift/plan"
)

// States of a workflow of a migration.
const (
	StateRunning    = "running"
	StateWaiting    = "waiting" // for a person or a release pipeline
	StateHeld       = "held"
	StateDone       = "done"
	StateRolledBack = "rolledBack"
	StateFailed     = "failed"
)

// States of a stage and of a wave.
const (
	StagePending   = "pending"
	StageRunning   = "running"
	StageDone      = "done"
	StageFailed    = "failed"
	StageSkipped   = "skipped"
	WaveGroups     = "groups"
	WaveProducers  = "producers"
	WaveSoak       = "soak"
	WaveRolledBack = "back"
)

// Kinds of waiting.
const (
	WaitingApproval = "approval"
	WaitingRelease  = "release"
	WaitingGate     = "gate"
)

// Status is what people see: the answer to the query `status`, and the result of every workflow.
type Status struct {
	Name     string        `json:"name"`
	Type     string        `json:"type"`
	PlanHash string        `json:"planHash"`
	Stage    string        `json:"stage"`
	State    string        `json:"state"`
	Detail   string        `json:"detail,omitempty"`
	Waiting  []Waiting     `json:"waiting,omitempty"`
	Stages   []StageStatus `json:"stages,omitempty"`
	Target   *Instance     `json:"target,omitempty"`
	Waves    []WaveStatus  `json:"waves,omitempty"`

	// LeftAsked are groups that read the source again after a move was cut off, while some of their
	// applications may already go to the target, which is closed to them; at most 200.
	LeftAsked []string `json:"leftAsked,omitempty"`
	// Owed are brokers of the source that were missing when fences were lifted. Groups may be
	// closed there; they are opened when the brokers are back.
	Owed []string `json:"owed,omitempty"`
	// Moved are the applications that were asked to move and have moved. It is no error to say so
	// again.
	Moved     Moved        `json:"moved,omitzero"`
	Approvals []Approval   `json:"approvals,omitempty"`
	Answers   []LaneAnswer `json:"answers,omitempty"` // to faults of lanes
	// EarlierAnswers are the answers before those, if there were too many.
	EarlierAnswers List[LaneAnswer] `json:"earlierAnswers,omitzero"`
	Rates          []RateChange     `json:"rates,omitempty"`  // set while the lanes ran
	Copied         []Copied         `json:"copied,omitempty"` // by lanes that ended, by shard
	// Notes are steering, and what was ignored and why; the last 20.
	Notes        []string          `json:"notes,omitempty"`
	Inventory    *InventorySummary `json:"inventory,omitempty"`
	Assessment   *Inventory        `json:"assessment,omitempty"` // in the result of Assess alone
	Metadata     *MetadataDiff     `json:"metadata,omitempty"`
	Verification *Verification     `json:"verification,omitempty"`
	Ledger       *Ledger           `json:"ledger,omitempty"`

	PointOfNoReturn *time.Time `json:"pointOfNoReturn,omitempty"`
	Report          string     `json:"report,omitempty"`
	Error           string     `json:"error,omitempty"`
}

// StageStatus is one row of a migration's table.
type StageStatus struct {
	Name       string     `json:"name"`
	State      string     `json:"state"`
	Detail     string     `json:"detail,omitempty"`
	WorkflowID string     `json:"workflowId,omitempty"`
	StartedAt  *time.Time `json:"startedAt,omitempty"`
	EndedAt    *time.Time `json:"endedAt,omitempty"`
}

// WaveStatus is one step of a shift.
type WaveStatus struct {
	Step   int        `json:"step"`
	State  string     `json:"state"`
	Topics Names      `json:"topics,omitzero"`
	Groups Names      `json:"groups,omitzero"`
	Check  *WaveCheck `json:"check,omitempty"`
	// Closed are groups among them that others had closed on the source: they stay closed. Of all
	// steps 100 are named; the others are in documents.
	Closed Collected `json:"closed,omitzero"`
}

// Waiting is something that a person, a release pipeline or a measured gate must provide.
type Waiting struct {
	Kind string `json:"kind"`
	Gate string `json:"gate,omitempty"`
	Text string `json:"text"`
	// PlanHash and Evidence are what an approval is bound to.
	PlanHash string `json:"planHash,omitempty"`
	Evidence string `json:"evidence,omitempty"`
	// Groups and Topics are those whose applications must get another address: of side To, at
	// NameServers.
	Groups      Names    `json:"groups,omitzero"`
	Topics      Names    `json:"topics,omitzero"`
	To          Side     `json:"to,omitempty"`
	NameServers []string `json:"nameServers,omitempty"`
	// Rename is the names of topics and groups there, if they change.
	Rename     *plan.Rename `json:"rename,omitempty"`
	WorkflowID string       `json:"workflowId"`
	Since      time.Time    `json:"since"`
	Expires    *time.Time   `json:"expires,omitempty"`
}
