package workflows

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// `back` is the answer to a stage that failed: nobody has to resume first.
func TestBackEndsTheHoldOfAStageThatFailed(t *testing.T) {
	s := newMigration(t, map[string]stageFunc{ShiftType: failingStage("the target doesn't answer", "TargetUnreachable")})
	s.RegisterDelayedCallback(func() {
		require.Equal(t, StateHeld, s.statusNow(t).State)
		s.update(BackName, Steering{By: "alice"})
	}, time.Minute)
	s.SetTestTimeout(10 * time.Second) // of real time: a hold has nothing to do
	s.ExecuteWorkflow(MigrationType, MigrationInput{Plan: testPlan(t, nil)})
	require.NoError(t, s.GetWorkflowError())
	require.Equal(t, StateRolledBack, s.result(t).State)
	require.Contains(t, s.called(), RollbackType)
}
