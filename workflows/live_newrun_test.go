package workflows

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/workflows/lanes"
)

func TestLongReplicateGoesOnInANewRunAndItsMigrationWithIt(t *testing.T) {
	s := newServer(t)
	p := s.play(t, "new-run", func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GateShift} })
	p.start()
	p.asked(api.ShiftGate(100))
	id := api.StageID(p.plan, api.ReplicateType)
	run := func() string {
		d, err := s.client.DescribeWorkflowExecution(p.ctx, id, "")
		require.NoError(t, err)
		return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	}
	first := run()
	for range lanes.LongHistory { // each an event, which the workflow ignores
		require.NoError(t, s.client.SignalWorkflow(p.ctx, id, "", api.StopName+"-not", nil))
	}
	rate := func(messages float64) {
		require.NoError(t, p.update(id, api.SetRateName, api.RateChange{
			Rate: lane.Rate{Messages: messages}, By: "alice",
		}))
	}
	rate(5)
	p.until("it goes on in a new run", func(api.Status) bool { return run() != first })
	second := run()
	rate(7)
	p.until("the migration hears of the new run", func(s api.Status) bool {
		return len(s.Rates) == 1 && s.Rates[0].Messages == 7
	})
	require.Equal(t, second, run(), "a short history goes on")
	require.NoError(t, p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: api.ShiftGate(100), By: "alice"}))
	p.ends(api.StateDone)
	for _, r := range []string{first, second} {
		requireReplays(t, "Replicate", p.history(id, r))
	}
	requireReplays(t, "Migration", p.history(p.run.GetID(), p.run.GetRunID()))
}
