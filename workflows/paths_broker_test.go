package workflows

import (
	"context"
	"slices"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/message"
	"rocketshift/workflows/standins"
)

// brokerPaths are moves that are cut off while something is away that opens groups again.
func brokerPaths() []path {
	missing := func(p *played) (back func()) {
		p.clusters.Answer("Missing", func(context.Context, activities.BrokersRequest) ([]string, error) {
			return []string{"broker-b"}, nil
		})
		return p.clusters.Hold("Reopen")
	}
	return []path{
		{"broker-missing", hasty, []string{api.ShiftType}, func(p *played) {
			back := missing(p)
			restore := p.clusters.Fail("AwaitSettled", standins.NotYet("members hold 3 messages"))
			p.start()
			p.untilHeld()
			p.called("Reopen")
			restore()
			back()
			p.until("nothing is owed any more", func(s api.Status) bool { return len(s.Owed) == 0 })
			p.resumeUntilDone()
		}},
		{"back-broker-missing", nil, []string{api.RollbackType}, func(p *played) {
			back := missing(p)
			p.backFrom("AwaitQuiet")
			p.called("Reopen")
			back()
			p.ends(api.StateRolledBack)
		}},
		{
			"left-asked",
			func(p *plan.Plan) { p.Approvals = []plan.Gate{plan.GateShift} },
			[]string{api.ShiftType},
			leftAsked,
		},
	}
}

// leftAsked cancels a Shift while applications move, and answers the question of the next one.
func leftAsked(p *played) {
	approve := func() {
		p.asked("shift-100")
		require.NoError(p, p.update(p.run.GetID(), api.ApproveName, api.Approval{Gate: "shift-100", By: "alice"}))
	}
	release := p.clusters.Hold("AwaitMembers")
	p.start()
	approve()
	p.called("AwaitMembers")
	p.clusters.Answer("Stranded", func(context.Context, activities.SurveyRequest) (activities.Stranded, error) {
		return activities.Stranded{Asked: []string{"orders-group"}}, nil
	})
	p.cancel(api.ShiftType)
	p.untilHeld()
	release()
	p.steer(api.ResumeName)
	p.until("the page tells of them beside the question", func(s api.Status) bool {
		_, asks := message.WaitingApproval(s, "shift-100")
		return asks && slices.Contains(s.LeftAsked, "orders-group")
	})
	approve()
	p.ends(api.StateDone)
}
