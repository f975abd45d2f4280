package api

import (
	"strconv"

	"rocketshift/plan"
)

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

// StopName is the signal that ends a Replicate or SyncOffsets. Its parent sends it, or the person
// who started it alone.
const StopName = "stop"

// Activities whose heartbeats say how far they are: ReplicationProgress, VerifyProgress under the
// key progress, SyncProgress.
const (
	ReplicateActivity = "Replicate"
	VerifyActivity    = "Verify"
	SyncActivity      = "Sync"
)

// Search attributes, all keywords, registered by the worker.
const (
	StageAttribute   = "RocketshiftStage"
	WaitingAttribute = "RocketshiftWaiting"
	TargetAttribute  = "RocketshiftTarget"
)

// SearchAttributes are all of them.
func SearchAttributes() []string {
	return []string{StageAttribute, WaitingAttribute, TargetAttribute}
}

// stageSlugs end the ids of children: <parent id>-<slug>.
var stageSlugs = map[string]string{
	AssessType: "assess", PurchaseType: "purchase", ImportMetadataType: "import-metadata",
	ReplicateType: "replicate", SyncOffsetsType: "sync-offsets", VerifyType: "verify", ShiftType: "shift",
	EndPhaseType: "end-phase", FinalizeType: "finalize", RollbackType: "rollback",
}

// StageID is the workflow id of a stage of the plan's migration. It is fixed, so that no stage runs
// twice at a time.
func StageID(p plan.Plan, stage string) string {
	if stage == MigrationType {
		return p.WorkflowID()
	}
	return p.WorkflowID() + "-" + stageSlugs[stage]
}

// ShiftGate names the approval of one step.
func ShiftGate(percent int) string { return string(plan.GateShift) + "-" + strconv.Itoa(percent) }
