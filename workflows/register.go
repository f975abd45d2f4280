package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

// Register adds every workflow type under the name that people type.
func Register(r worker.WorkflowRegistry) {
	for _, w := range []struct {
		name string
		run  func(workflow.Context, MigrationInput) (Status, error)
	}{
		{MigrationType, Migration},
		{AssessType, Assess},
		{PurchaseType, Purchase},
		{ImportMetadataType, ImportMetadata},
		{ReplicateType, Replicate},
		{SyncOffsetsType, SyncOffsets},
		{VerifyType, Verify},
		{ShiftType, Shift},
		{EndPhaseType, EndPhase},
		{FinalizeType, Finalize},
		{RollbackType, Rollback},
	} {
		r.RegisterWorkflowWithOptions(w.run, workflow.RegisterOptions{Name: w.name})
	}
}
