package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/replicator/lane"
)

func TestAReplicateThatIsStartedAgainCountsOn(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.once(&requests, 2, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	before := []api.Copied{{Broker: "broker-a", There: 7, Back: 3}}
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{
		Plan: testPlan(t, nil), Inventory: testInventory(), Copied: before,
	})
	require.Equal(t, before, s.result(t).Copied)
	for _, r := range requests {
		want := api.Copied{Broker: r.Broker}
		if r.Broker == "broker-a" {
			want = before[0]
		}
		require.Equal(t, want, r.Copied)
	}
}

func TestWhatIsSaidAboutLanesThatAreNotThereIsRefused(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.OnActivity("KnowLane", anything, anything).Return(
		func(_ context.Context, r activities.LaneRequest) error {
			if r.Topic != "orders" || r.Broker == "broker-x" {
				return temporal.NewNonRetryableApplicationError("there is no such queue",
					activities.RefusedType, nil)
			}
			return nil
		})
	s.lanesUntilCancelled(&requests)
	elsewhere := skipOne()
	elsewhere.Broker = "broker-x"
	rate := api.RateChange{Rate: lane.Rate{Messages: 5}, Topic: "gone", By: "bob"}
	var answer, bound *answered
	s.once(&requests, 2, func() {
		answer, bound = s.update(api.AnswerName, elsewhere), s.update(api.SetRateName, rate)
		s.SignalWorkflow(api.AnswerName, elsewhere)
	})
	var whenJudged func()
	whenJudged = func() {
		judged := answer != nil && answer.completed && bound.completed
		if judged && len(s.statusNow(t).Notes) == 1 {
			s.SignalWorkflow(api.StopName, struct{}{})
			return
		}
		s.RegisterDelayedCallback(whenJudged, 10*time.Millisecond)
	}
	s.RegisterDelayedCallback(whenJudged, 10*time.Millisecond)
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{
		Plan: testPlan(t, nil), Inventory: testInventory(),
	})
	got := s.result(t)
	require.ErrorContains(t, answer.err, "answer: there is no such queue")
	require.ErrorContains(t, bound.err, "setRate: there is no such queue")
	require.Len(t, requests, 2, "nothing started again")
	require.Empty(t, got.Answers)
	require.Empty(t, got.Rates)
	require.Len(t, got.Notes, 1, "the signal alone: an update has its answer")
	require.Contains(t, got.Notes[0], "ignored signal answer: there is no such queue")
}
