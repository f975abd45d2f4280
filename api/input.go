package api

import (
	"encoding/json"

	"rocketshift/plan"
)

// MigrationInput starts Migration and every stage alike: {"plan": {...}}.
type MigrationInput struct {
	Plan plan.Plan `json:"plan"`
	// PlanHash says that the parent has had the plan checked, and is the hash of what was given.
	// People who start a workflow leave it out.
	PlanHash string `json:"planHash,omitempty"`
	// Inventory is what the parent's Assess found. A stage that is started alone leaves it out and
	// measures for itself.
	Inventory *Inventory `json:"inventory,omitempty"`
	// Answers are what persons decided about faults of lanes; the parent passes them on to Verify.
	Answers []LaneAnswer `json:"answers,omitempty"`
	// EarlierAnswers are the answers before those, if there were too many.
	EarlierAnswers List[LaneAnswer] `json:"earlierAnswers,omitzero"`
	// Rates are what persons set for the lanes so far, for Replicate.
	Rates []RateChange `json:"rates,omitempty"`
	// Copied is what the lanes have copied so far, by shard, for Replicate.
	Copied []Copied `json:"copied,omitempty"`
	// Fenced are the groups that the parent has noted as fenced, for Rollback: fences of older
	// releases have no mark.
	Fenced []string `json:"fenced,omitempty"`
	// FencedIn are such groups too, wave by wave.
	FencedIn []Names `json:"fencedIn,omitempty"`
	// AskedIn are the topics whose producers the parent's Shift has asked to move, step by step,
	// for Rollback.
	AskedIn []Names `json:"askedIn,omitempty"`
	// Closed are groups among them that others had closed: they aren't fenced.
	Closed Collected `json:"closed,omitzero"`

	Given json.RawMessage `json:"-"` // the plan as it was given
	Read  bool            `json:"-"` // Plan is all of it
}

// UnmarshalJSON reads the plan without judging it and without defaults. Both change from release to
// release, and later releases read histories again. CheckPlan reports what can't be read at all,
// with every key.
func (in *MigrationInput) UnmarshalJSON(b []byte) error {
	type plain MigrationInput
	raw := struct {
		*plain
		Plan json.RawMessage `json:"plan"`
	}{plain: (*plain)(in)}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	in.Given, in.Plan = raw.Plan, plan.Plan{}
	if in.Read = json.Unmarshal(raw.Plan, &in.Plan) == nil; in.Read {
		return nil
	}
	var named struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(raw.Plan, &named)
	in.Plan = plan.Plan{Name: named.Name}
	return nil
}
