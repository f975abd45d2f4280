package stage

import (
	"cmp"
	"slices"
	"time"

	"rocketshift/plan"
)

// planBefore completes the plan of a run that is older than change.Plan, and makes its hash. The
// defaults are those of the release that began it: they stay as they are here, whatever new plans
// get. Nothing is judged: such a run passed the rules of its time, or has ended.
func planBefore(p plan.Plan) (complete plan.Plan, hash string) {
	if p.Target.Provider == plan.ProviderLocal {
		p.Target.Version = cmp.Or(p.Target.Version, "5.3.3")
		p.Target.Brokers = cmp.Or(p.Target.Brokers, 1)
	}
	p.Topics.Selection, p.Groups = selectionBefore(p.Topics.Selection), selectionBefore(p.Groups)
	p.Traffic.Mode = cmp.Or(p.Traffic.Mode, plan.ModeRelease)
	if p.Shift.Steps == nil {
		p.Shift.Steps = []int{25, 50, 100}
	}
	p.Shift.Soak = cmp.Or(p.Shift.Soak, plan.Duration(10*time.Second))
	p.Shift.Settle = cmp.Or(p.Shift.Settle, plan.Duration(6*time.Second))
	p.Replicate.Heartbeat = cmp.Or(p.Replicate.Heartbeat, plan.Duration(5*time.Minute))
	p.Replicate.BatchMessages = cmp.Or(p.Replicate.BatchMessages, 300)
	p.Replicate.SyncInterval = cmp.Or(p.Replicate.SyncInterval, plan.Duration(3*time.Second))
	gates := []plan.Gate{plan.GatePurchase, plan.GateShift, plan.GateFinalize}
	if p.Approvals == nil {
		p.Approvals = gates
	}
	p.Approvals = slices.Clone(p.Approvals)
	slices.SortStableFunc(p.Approvals,
		func(a, b plan.Gate) int { return slices.Index(gates, a) - slices.Index(gates, b) })
	//workflowcheck:ignore
	hash = p.Hash() // of a complete plan: plan's tests keep those of every release
	p.Shift.FenceBudget = cmp.Or(p.Shift.FenceBudget,
		max(plan.Duration(time.Minute), 2*p.Shift.Settle))
	p.Replicate.Shards = max(p.Replicate.Shards, 1)
	return p, hash
}

func selectionBefore(s plan.Selection) plan.Selection {
	if s.Include == nil {
		s.Include = []string{"*"}
	}
	if s.Exclude == nil {
		s.Exclude = []string{}
	}
	return s
}
