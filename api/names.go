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

// Gates of what is waited for, beside those of the plan.
const (
	// SourceGate is the wait for brokers of the source that are missing, TargetGate that for a
	// target that doesn't answer.
	SourceGate = "source"
	TargetGate = "target"
	// LostGate is the question whether the way back ends without the target, which doesn't answer:
	// it is gone for good then. LostBrokersGate asks the same for brokers of the source.
	LostGate        = "lost"
	LostBrokersGate = "lost-brokers"
	// LeaveGate is the question whether the lanes end although something is still to come from the
	// target. It isn't the gate of Finalize: an approval of the one must not answer the other.
	LeaveGate = "leave"
	// BypassingGate asks for applications that reach brokers without the gateways, GatewayGate for
	// those that are still behind one in the end phase.
	BypassingGate = "clients past the gateway"
	GatewayGate   = "clients of the gateway"
)

// SoakGate names the approval of a step whose soak leaves a doubt.
func SoakGate(percent int) string { return "soak-" + strconv.Itoa(percent) }

// ShiftGate names the approval of one step.
func ShiftGate(percent int) string { return string(plan.GateShift) + "-" + strconv.Itoa(percent) }
