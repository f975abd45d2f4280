package main

import (
	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

const exitCodesText = `Exit codes of rocketshift:

  0  done, or running and nothing is asked of anybody
  1  failed: the migration, or the command itself (Temporal or the worker can't be reached)
  2  usage: bad flags, a bad plan, no such migration, or an answer that the migration refuses; nothing was changed
  3  waiting for an approval or for a release of applications; status shows the command that answers
  4  halted: held by a person or by a failed stage, or an activity keeps failing; status shows the cause
  5  rolled back: the applications are on the source again
  6  differs: copy found copies that aren't what their originals are, or lanes stopped with a fault; or the sides of users or of metadata diff differ
  7  refused: assess found what stops a migration; its findings say what and what to do

status, start and report tell the state of the migration this way, other commands only their own success.
start --wait and status --wait return as soon as the code is not 0, or the migration ended; with --wait=end only at the end.
copy without --follow ends with 0 when everything is copied and equal, with 1 when it was interrupted before.
In JSON mode (-o json) every document about a migration, and the verdict of a copy, has the same number in "exitCode".
`

func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText}
}

// stateCode is the exit code that tells the state of a migration.
func stateCode(s remote.Snapshot) int {
	switch s.State {
	case api.StateDone:
		return failure.Done
	case api.StateRolledBack:
		return failure.RolledBack
	case api.StateFailed:
		return failure.Failed
	case api.StateHeld:
		return failure.Halted
	}
	code := failure.Done
	for _, w := range s.Waiting {
		if w.Kind == api.WaitingGate {
			return failure.Halted
		}
		code = failure.Waiting
	}
	for _, b := range s.Blocked {
		if b.Stuck() {
			return failure.Halted
		}
	}
	return code
}
