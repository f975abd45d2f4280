package workflows

import (
	"errors"

	"rocketshift/api"
)

// lastDetail is what an ended migration is at: no stage runs any more.
func lastDetail(err error) string {
	switch {
	case err == nil:
		return "everything has moved to the target, and the ledger of the source is settled"
	case errors.Is(err, errBack):
		return "everything is on the source"
	}
	return "ended by an error; applications are where they were"
}

func finalState(err error) string {
	switch {
	case err == nil:
		return api.StateDone
	case errors.Is(err, errBack):
		return api.StateRolledBack
	}
	return api.StateFailed
}
