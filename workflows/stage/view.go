package stage

import (
	"slices"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/lists"
)

// View is the status with what the children told about themselves.
func (run *Run) View() api.Status {
	s := run.Status
	s.Waiting, s.Approvals = slices.Clone(s.Waiting), slices.Clone(s.Approvals)
	s.Stages, s.Notes = slices.Clone(s.Stages), slices.Clone(s.Notes)
	s.Answers, s.Rates = slices.Clone(s.Answers), slices.Clone(s.Rates)
	s.Copied = slices.Clone(s.Copied)
	for _, id := range run.Children.ids {
		if r, ok := run.Children.status[id]; ok {
			run.adopt(&s, id, r)
		}
	}
	if s.Waves != nil && s.Inventory != nil && run.Plan.Traffic.Mode == plan.ModeGateway {
		// the shift began with gateways that took the migration: what Assess saw of them is over
		inventory := *s.Inventory
		inventory.Findings = api.WithoutGateways(inventory.Findings)
		s.Inventory = &inventory
	}
	if s.State == api.StateRunning && len(s.Waiting) > 0 {
		s.State = api.StateWaiting
	}
	if run.IsHeld() && (s.State == api.StateRunning || s.State == api.StateWaiting) {
		s.State = api.StateHeld
	}
	return s
}

// adopt merges a child's status into its parent's.
func (run *Run) adopt(s *api.Status, id string, r api.Status) {
	for _, w := range r.Waiting {
		same := func(o api.Waiting) bool {
			return o.Kind == w.Kind && o.Gate == w.Gate &&
				o.Text == w.Text
		}
		if !slices.ContainsFunc(s.Waiting, same) { // a stage waits for what its migration waits for
			s.Waiting = append(s.Waiting, w)
		}
	}
	s.Approvals = append(s.Approvals, r.Approvals...)
	s.Answers = append(s.Answers, r.Answers...)
	if r.EarlierAnswers.Len() > 0 {
		s.EarlierAnswers = r.EarlierAnswers
	}
	s.Rates = append(s.Rates, r.Rates...)
	s.Notes = append(s.Notes, r.Notes...)
	if r.Copied != nil {
		s.Copied = r.Copied
	}
	for i := range s.Stages {
		if s.Stages[i].WorkflowID == id && r.Detail != "" {
			s.Stages[i].Detail = r.Detail
		}
	}
	s.Moved = bothMoved(s.Moved, r.Moved, run.Bounded)
	if r.Waves != nil {
		s.Waves = r.Waves
	}
	s.Owed = slices.Concat(s.Owed, lists.Without(r.Owed, s.Owed))
	if r.LeftAsked != nil {
		s.LeftAsked = r.LeftAsked
	}
	if r.Target != nil {
		s.Target = r.Target
	}
	if r.Inventory != nil && s.Inventory == nil {
		s.Inventory = r.Inventory
	}
	if r.Metadata != nil {
		s.Metadata = r.Metadata
	}
	if r.Verification != nil {
		s.Verification = r.Verification
	}
	if r.Ledger != nil {
		s.Ledger = r.Ledger
	}
	if r.PointOfNoReturn != nil {
		s.PointOfNoReturn = r.PointOfNoReturn
	}
}
