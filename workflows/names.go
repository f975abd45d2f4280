// Package workflows holds the migration's durable stories: Migration and the ten stages that it runs as children, each of
// which a person may start alone with the same input, one plan.
//
// A workflow here only orchestrates. What touches a cluster is an activity; what a person sees and says goes through the
// desk (desk.go): one status, one way to ask for an approval, one set of handlers for approve, hold, resume, back, released.
package workflows

import "rocketshift/plan"

// Task queues. Data activities run for days next to the brokers; control activities are short.
const (
	ControlTaskQueue = "rocketshift-control"
	DataTaskQueue    = "rocketshift-data"
)

// Workflow types, as people type them in the Web UI.
const (
	MigrationType      = "Migration"
	AssessType         = "Assess"
	PurchaseType       = "Purchase"
	ImportMetadataType = "ImportMetadata"
	ReplicateType      = "Replicate"
	SyncOffsetsType    = "SyncOffsets"
	VerifyType         = "Verify"
	ShiftType          = "Shift"
	EndPhaseType       = "EndPhase" // of traffic mode gateway
	FinalizeType       = "Finalize"
	RollbackType       = "Rollback"
)

// Updates, signals of the same name, and the query.
const (
	ApproveName  = "approve"
	HoldName     = "hold"
	ResumeName   = "resume"
	BackName     = "back"
	ReleasedName = "released"
	AnswerName   = "answer"  // to Replicate: what to do about a lane's fault
	SetRateName  = "setRate" // to Replicate
	StatusQuery  = "status"
)

// Signals between a parent and its children; people don't send them.
const (
	stageReportName = "stageReport" // child to parent: its status changed
	// child to parent: what became of an approval that was handed on
	handedName = "approvalJudged"
	stopName   = "stop" // parent to Replicate and SyncOffsets: finish and complete
	// parent to child: a service that it needs doesn't run, or all do
	missingName = "missing"
)

// byRocketshift is who holds a migration where no person did.
const byRocketshift = "rocketshift"

// StopName is the signal that ends a Replicate or SyncOffsets that a person started alone.
const StopName = stopName

// Search attributes, all keywords, registered by the worker.
const (
	StageAttribute   = "RocketshiftStage"
	WaitingAttribute = "RocketshiftWaiting"
	TargetAttribute  = "RocketshiftTarget"
)

// stageSlugs end the ids of children: <parent id>-<slug>.
var stageSlugs = map[string]string{
	AssessType: "assess", PurchaseType: "purchase", ImportMetadataType: "import-metadata", ReplicateType: "replicate",
	SyncOffsetsType: "sync-offsets", VerifyType: "verify", ShiftType: "shift", EndPhaseType: "end-phase", FinalizeType: "finalize", RollbackType: "rollback",
}

// StageID is the workflow id of a stage of the plan's migration. Fixed ids are a fence: no stage runs twice at a time.
func StageID(p plan.Plan, stage string) string {
	if stage == MigrationType {
		return p.WorkflowID()
	}
	return p.WorkflowID() + "-" + stageSlugs[stage]
}

// ShiftGate names the approval of one step.
func ShiftGate(percent int) string { return string(plan.GateShift) + "-" + itoa(percent) }
