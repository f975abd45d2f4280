package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
)

func retries(rest int64) api.Ledger {
	return api.Ledger{Rest: rest, Rows: api.Some(
		api.LedgerRow{Kind: "retry", Object: "orders-group", Rest: rest},
	)}
}

// ledgers plays the measured rests, the last one again and again.
func (s *workflowEnvironment) ledgers(rests ...int64) (measured *int) {
	measured = new(int)
	s.OnActivity("Ledger", anything, anything).Return(
		func(context.Context, activities.Request) (api.Ledger, error) {
			rest := rests[min(*measured, len(rests)-1)]
			*measured++
			return retries(rest), nil
		})
	return measured
}

func TestTheEvidenceOfARestStandsWhileTheRestShrinks(t *testing.T) {
	s := newTheatre(t)
	measured := s.ledgers(70, 60, 50, 40)
	var first api.Waiting
	var accepted *answered
	s.RegisterDelayedCallback(func() { first = s.statusNow(t).Waiting[0] }, time.Second)
	s.RegisterDelayedCallback(func() {
		now := s.statusNow(t)
		require.GreaterOrEqual(t, *measured, 4)
		require.Equal(t, first, now.Waiting[0], "somebody may have read it by now")
		require.Equal(t, int64(40), now.Ledger.Rest, "what is left now is shown too")
		require.Contains(t, first.Text, "70 are left")
		accepted = s.update(api.ApproveName, api.Approval{
			Gate: "finalize", By: "alice", Evidence: first.Evidence,
		})
	}, 5*time.Minute)
	s.ExecuteWorkflow(api.FinalizeType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, int64(40), s.result(t).Ledger.Rest)
	require.NoError(t, accepted.rejected)
}

func TestTheEvidenceOfARestEndsWhenTheRestGrowsOrItIsOld(t *testing.T) {
	s := newTheatre(t)
	s.ledgers(70, 71)
	var first, grown api.Waiting
	var refused *answered
	s.RegisterDelayedCallback(func() { first = s.statusNow(t).Waiting[0] }, time.Second)
	s.RegisterDelayedCallback(func() {
		grown = s.statusNow(t).Waiting[0]
		require.Contains(t, grown.Text, "71 are left")
		refused = s.update(api.ApproveName, api.Approval{
			Gate: "finalize", By: "alice", Evidence: first.Evidence,
		})
	}, 10*time.Second)
	s.RegisterDelayedCallback(func() {
		old := s.statusNow(t).Waiting[0]
		require.Equal(t, grown.Evidence, old.Evidence)
		require.True(t, old.Expires.After(*grown.Expires), "measured anew")
		s.update(api.ApproveName, api.Approval{Gate: "finalize", By: "alice"})
	}, time.Hour)
	s.ExecuteWorkflow(api.FinalizeType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.Equal(t, api.StateDone, s.result(t).State)
	require.ErrorContains(t, refused.rejected, "is shown now")
}

// The watch says that nothing is to come, so that it is measured anew; the question stands
// meanwhile.
func TestAnApprovalThatComesWhileTheRestIsMeasuredAgainCounts(t *testing.T) {
	for name, grown := range map[string]int64{"the same rest": 1, "a greater rest": 2} {
		t.Run(name, func(t *testing.T) {
			s := newTheatre(t)
			s.OnActivity("Survey", anything,
				anything).Return(activities.Survey{FencedGroups: api.Some("orders-group")}, nil)
			watched, measured := 0, 0
			s.OnActivity("AwaitPending", anything,
				anything).Return(func(context.Context, activities.Request) error {
				if watched++; watched == 1 {
					return nil // at one moment nothing was
				}
				return never("NotReady", "1 is to come")
			}).After(time.Minute)
			var taken *answered
			s.OnActivity("Pending", anything,
				anything).Return(func(context.Context, activities.Request) (api.Ledger, error) {
				measured++
				switch {
				case watched == 0:
					return retries(1), nil
				case taken == nil:
					s.RegisterDelayedCallback(func() {
						gate := s.statusNow(t).Waiting[0].Gate
						taken = s.update(api.ApproveName, api.Approval{Gate: gate, By: "alice"})
					}, time.Second)
					return api.Ledger{}, notYet("the source is slow")
				}
				return retries(grown), nil
			})
			s.playTraffic()
			again := false
			s.RegisterDelayedCallback(func() {
				again = true
				s.CancelWorkflow()
			}, 5*time.Minute)
			s.ExecuteWorkflow(api.RollbackType, api.MigrationInput{Plan: testPlan(t, nil)})
			require.NotNil(t, taken)
			require.NoError(t, taken.rejected)
			require.Equal(t, grown > 1, again, "it is asked again for what is more alone")
		})
	}
}
