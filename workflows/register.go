package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
)

// Register adds every workflow type under the name that people type.
func Register(r worker.WorkflowRegistry) {
	for _, w := range []struct {
		name string
		run  func(workflow.Context, api.MigrationInput) (api.Status, error)
	}{
		{api.MigrationType, Migration},
		{api.AssessType, Assess},
		{api.PurchaseType, Purchase},
		{api.ImportMetadataType, ImportMetadata},
		{api.ReplicateType, Replicate},
		{api.SyncOffsetsType, SyncOffsets},
		{api.VerifyType, Verify},
		{api.ShiftType, Shift},
		{api.EndPhaseType, EndPhase},
		{api.FinalizeType, Finalize},
		{api.RollbackType, Rollback},
	} {
		r.RegisterWorkflowWithOptions(w.run, workflow.RegisterOptions{Name: w.name})
	}
}
