package activities

import (
	"context"
	"encoding/json"

	"rocketshift/plan"
)

// PlanRequest is a plan as its writer gave it.
type PlanRequest struct {
	Plan json.RawMessage `json:"plan"`
}

// CheckedPlan is what a migration works by until its end.
type CheckedPlan struct {
	Plan    plan.Plan `json:"plan"`              // with its defaults written out
	Hash    string    `json:"hash"`              // of what was given
	Refused string    `json:"refused,omitempty"` // what is wrong with it, bounded; the plan is empty then
}

// Plans judges plans.
type Plans struct{}

// NewPlans returns the activities of plans.
func NewPlans() *Plans { return &Plans{} }

// CheckPlan judges a plan by the rules of this release, and fills in its defaults. Its answer is on
// record: a later release with stricter rules or other defaults doesn't ask again.
func (*Plans) CheckPlan(_ context.Context, r PlanRequest) (_ CheckedPlan, err error) {
	defer explained(&err)
	p, err := plan.Parse(r.Plan)
	if err != nil {
		return CheckedPlan{Refused: err.Error()}, nil
	}
	return CheckedPlan{Plan: p.Normal(), Hash: p.Hash()}, nil
}
