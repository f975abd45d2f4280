package plan

import (
	"encoding/json"
	"fmt"
)

// MaxKept is the most bytes of JSON of a plan when a migration begins. A history keeps the plan
// with each activity. With a plan of this size, a migration of 10,000 topics and groups for a month
// makes a history of some 25 MB; Temporal ends a workflow at 50.
const MaxKept = 32 << 10

// CheckSize is the error of a plan that is too large to begin a migration with, or nil.
func (p Plan) CheckSize() error {
	b, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("the plan is no JSON: %w", err)
	}
	if len(b) > MaxKept {
		return fmt.Errorf(
			"the plan has %d bytes as JSON, at most are %d: every step of a migration keeps it: select "+
				"topics and groups by "+
				"globs instead of lists of names, or make several migrations of it",
			len(b),
			MaxKept,
		)
	}
	return nil
}
