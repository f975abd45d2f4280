package workflows

import (
	"errors"
	"slices"

	"rocketshift/api"
)

// errLeft is the end of a stage that was started alone and is asked to go back: Rollback is another
// stage.
var errLeft = errors.New(
	"it has stopped, and what it moved stays where it is: start Rollback, or the migration and then back",
)

// leavesMoved reports whether the workflow moves applications, and nobody runs Rollback after it.
func (d *stageRun) leavesMoved() bool {
	return d.parent == nil &&
		slices.Contains([]string{api.ShiftType, api.EndPhaseType, api.FinalizeType}, d.status.Type)
}
