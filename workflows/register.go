package workflows

import (
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/lanes"
	"rocketshift/workflows/prepare"
	"rocketshift/workflows/rollback"
	"rocketshift/workflows/settle"
	"rocketshift/workflows/shift"
	"rocketshift/workflows/stage"
)

// Register adds every workflow type under the name that people type. Attributes says that the
// namespace has the search attributes of the API: without them workflows run, but can't be searched
// by stage.
func Register(r worker.WorkflowRegistry, attributes bool) {
	for _, w := range []struct {
		name string
		run  func(workflow.Context, api.MigrationInput) (api.Status, error)
	}{
		{api.MigrationType, Migration},
		{api.AssessType, prepare.Assess},
		{api.PurchaseType, prepare.Purchase},
		{api.ImportMetadataType, prepare.ImportMetadata},
		{api.ReplicateType, lanes.Replicate},
		{api.SyncOffsetsType, lanes.SyncOffsets},
		{api.VerifyType, prepare.Verify},
		{api.ShiftType, shift.Shift},
		{api.EndPhaseType, shift.EndPhase},
		{api.FinalizeType, settle.Finalize},
		{api.RollbackType, rollback.Rollback},
	} {
		run := func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
			return w.run(stage.Searched(ctx, attributes), in)
		}
		r.RegisterWorkflowWithOptions(run, workflow.RegisterOptions{Name: w.name})
	}
}
