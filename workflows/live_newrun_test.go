package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/plan"
	"rocketshift/replicator"
)

func TestLongReplicateGoesOnInANewRunAndItsMigrationWithIt(t *testing.T) {
	s := newServer(t)
	p := s.play(t, "new-run", func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GateShift} })
	p.start()
	p.asked(ShiftGate(100))
	id := StageID(p.plan, ReplicateType)
	run := func() string {
		d, err := s.client.DescribeWorkflowExecution(p.ctx, id, "")
		require.NoError(t, err)
		return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	first := run()
	for range longHistory { // each an event, which the workflow ignores
		require.NoError(t, s.client.SignalWorkflow(p.ctx, id, "", StopName+"-not", nil))
	}
	rate := func(messages float64) {
		require.NoError(t, p.update(id, SetRateName, activities.RateChange{
			Rate: replicator.Rate{Messages: messages}, By: "alice",
		}))
	}
	rate(5)
	p.until("it goes on in a new run", func(Status) bool { return run() != first })
	second := run()
	rate(7)
	p.until("the migration hears of the new run", func(s Status) bool {
		return len(s.Rates) == 1 && s.Rates[0].Messages == 7
	})
	require.Equal(t, second, run(), "a short history goes on")
	require.NoError(t, p.update(p.run.GetID(), ApproveName, Approval{Gate: ShiftGate(100), By: "alice"}))
	p.ends(StateDone)
	for _, r := range []string{first, second} {
		requireReplays(t, "Replicate", p.history(id, r))
	}
	requireReplays(t, "Migration", p.history(p.run.GetID(), p.run.GetRunID()))
}
