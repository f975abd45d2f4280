package workflows

import (
	"encoding/json"

	"rocketshift/activities"
	"rocketshift/plan"
)

// MigrationInput starts Migration and every stage alike: {"plan": {...}}.
type MigrationInput struct {
	Plan plan.Plan `json:"plan"`
	// PlanHash is the parent's word that it has the plan checked, and the hash of what was given.
	// Who starts a workflow leaves it out.
	PlanHash string `json:"planHash,omitempty"`
	// Inventory is what the parent's Assess found. A stage that is started alone leaves it out and
	// measures for itself.
	Inventory *activities.Inventory `json:"inventory,omitempty"`
	// Answers are what persons decided about faults of lanes; the parent passes them on to Verify.
	Answers []activities.LaneAnswer `json:"answers,omitempty"`
	// EarlierAnswers are those before them, where they were too many.
	EarlierAnswers activities.List[activities.LaneAnswer] `json:"earlierAnswers,omitzero"`
	// Rates are what persons set for the lanes so far, for Replicate.
	Rates []activities.RateChange `json:"rates,omitempty"`
	// Copied is what the lanes have copied so far, by shard, for Replicate.
	Copied []activities.Copied `json:"copied,omitempty"`
	// Fenced are the groups that the parent has on record as fenced, for Rollback: fences of older
	// releases carry no mark.
	Fenced []string `json:"fenced,omitempty"`
	// FencedIn are such groups too, wave by wave.
	FencedIn []activities.Names `json:"fencedIn,omitempty"`
	// AskedIn are the topics whose producers the parent's Shift has asked to move, step by step, for
	// Rollback.
	AskedIn []activities.Names `json:"askedIn,omitempty"`
	// Closed are groups among them that others had closed: they aren't fenced.
	Closed activities.Collected `json:"closed,omitzero"`

	given json.RawMessage // the plan as it was given
	read  bool            // Plan is all of it
}

// UnmarshalJSON reads the plan without judging it and without defaults: both change from release to
// release, and histories are read again by later ones. What can't be read at all is CheckPlan's to
// say, in a text that names every key.
func (in *MigrationInput) UnmarshalJSON(b []byte) error {
	type plain MigrationInput
	raw := struct {
		*plain
		Plan json.RawMessage `json:"plan"`
	}{plain: (*plain)(in)}
	if err := json.Unmarshal(b, &raw); err != nil {
		return err
	}
	in.given, in.Plan = raw.Plan, plan.Plan{}
	if in.read = json.Unmarshal(raw.Plan, &in.Plan) == nil; in.read {
		return nil
	}
	var named struct {
		Name string `json:"name"`
	}
	_ = json.Unmarshal(raw.Plan, &named)
	in.Plan = plan.Plan{Name: named.Name}
	return nil
}
