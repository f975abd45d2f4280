package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
)

// soaks plays the judgements of a soak, the last one again and again.
func (s *workflowEnvironment) soaks(doubts ...string) (judged *int) {
	judged = new(int)
	s.OnActivity("JudgeSoak", anything, anything).Return(
		func(_ context.Context, r activities.SoakRequest) (api.WaveCheck, error) {
			doubt := doubts[min(*judged, len(doubts)-1)]
			*judged++
			return api.WaveCheck{
				Doubt: doubt, Share: float64(r.Step), Measured: time.Unix(2, 0),
			}, nil
		})
	return judged
}

const silence = "no message was written"

func TestASoakWithoutAMessageAsksAPersonAndGoesOnWithTheFirstMessage(t *testing.T) {
	s := newTheatre(t)
	judged := s.soaks(silence, silence, "")
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.Equal(t, 1, *judged)
		require.Len(t, now.Waiting, 1)
		require.Equal(t, "soak-100", now.Waiting[0].Gate)
		require.Contains(t, now.Waiting[0].Text, silence)
		require.Equal(t, api.WaveSoak, now.Waves[0].State)
		require.Equal(t, "rocketshift approve orders-2026 soak-100 --by YOU --reason WHY",
			api.NextCommand(now, now.Waiting[0]))
	}, 5*time.Second)
	p := testPlan(t, func(p *plan.Plan) {
		byGateway(p)
		oneStep(p)
		p.Shift.Soak = plan.Duration(time.Second)
	})
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: testInventory()})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, 3, *judged)
	require.Empty(t, got.Waves[0].Check.Doubt)
	require.Empty(t, got.Waiting)
	require.Empty(t, got.Approvals)
}

func TestAPersonMaySayThatSilenceIsAsItShouldBe(t *testing.T) {
	s := newTheatre(t)
	judged := s.soaks(silence)
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() {
		s.update(api.ApproveName, api.Approval{
			Gate: "soak-100", By: "alice", Reason: "nobody orders at night",
			Evidence: s.statusNow(t).Waiting[0].Evidence,
		})
	}, 25*time.Hour)
	p := testPlan(t, func(p *plan.Plan) { byGateway(p); oneStep(p) })
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: p, Inventory: testInventory()})
	got := s.result(t)
	require.Equal(t, api.StateDone, got.State)
	require.Equal(t, silence, got.Waves[0].Check.Doubt, "the report keeps what was accepted")
	require.Equal(t, "soak-100", got.Approvals[0].Gate)
	require.Less(t, *judged, 170, "counts become rare")
}

func TestBackEndsASoakThatNobodyAnswers(t *testing.T) {
	s := newTheatre(t)
	s.soaks(silence)
	s.playGateway()
	s.playTraffic()
	s.RegisterDelayedCallback(func() { s.update(api.BackName, api.Steering{By: "alice"}) }, time.Hour)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, byGateway), Inventory: testInventory(),
	})
	s.leftBehind(t)
}
