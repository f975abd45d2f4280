package workflows

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/replicator"
)

// lanesUntilCancelled plays the Replicate activity, and keeps each request.
func (s *theatre) lanesUntilCancelled(requests *[]activities.ReplicateRequest) {
	s.OnActivity("Replicate", anything, anything).Return(func(ctx context.Context, r activities.ReplicateRequest) (activities.ReplicationProgress, error) {
		s.mu.Lock()
		*requests = append(*requests, r)
		s.mu.Unlock()
		<-ctx.Done()
		return activities.ReplicationProgress{Broker: r.Broker}, ctx.Err()
	})
}

func skipOne() activities.LaneAnswer {
	return activities.LaneAnswer{
		Answer: replicator.Answer{Topic: "orders", Broker: "broker-a", Queue: 3, Action: replicator.Skip, From: 7, To: 8},
		By:     "alice", Reason: "a test message of 5 MB",
	}
}

func TestAnswersAndRatesReachTheLanesAndStayInTheStatus(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	var answer, rate *answered
	s.RegisterDelayedCallback(func() { answer = s.update(AnswerName, skipOne()) }, 50*time.Millisecond)
	s.RegisterDelayedCallback(func() {
		rate = s.update(SetRateName, activities.RateChange{Rate: replicator.Rate{Messages: 100}, Topic: "orders", By: "bob"})
	}, 500*time.Millisecond)
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(StopName, struct{}{}) }, time.Second)
	s.ExecuteWorkflow(ReplicateType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	got := s.result(t)
	require.NoError(t, answer.rejected)
	require.NoError(t, rate.rejected)
	require.Len(t, requests, 6, "two brokers, three times")
	require.Empty(t, requests[0].Answers)
	require.Equal(t, skipOne().Answer, requests[2].Answers[0].Answer)
	require.Empty(t, requests[3].Rates)
	require.Equal(t, 100.0, requests[5].Rates[0].Messages)
	require.Equal(t, 2, requests[5].Shards)
	require.Equal(t, "alice", got.Answers[0].By)
	require.False(t, got.Answers[0].At.IsZero())
	require.Equal(t, "orders", got.Rates[0].Topic)
	require.Contains(t, got.Notes[0], "skip offsets 7 to 7")
	require.Equal(t, "stopped", got.Detail)
}

func TestAnswersAndRatesThatMeanNothingAreRefused(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	unsaid := skipOne()
	unsaid.By = " "
	unreasoned := skipOne()
	unreasoned.Reason = ""
	backwards := skipOne()
	backwards.To = 7
	var refused []*answered
	s.RegisterDelayedCallback(func() {
		for _, a := range []activities.LaneAnswer{unsaid, unreasoned, backwards} {
			refused = append(refused, s.update(AnswerName, a))
		}
		refused = append(refused, s.update(SetRateName, activities.RateChange{Rate: replicator.Rate{Bytes: -1}, By: "bob"}),
			s.update(SetRateName, activities.RateChange{}))
		s.SignalWorkflow(StopName, struct{}{})
	}, 50*time.Millisecond)
	s.ExecuteWorkflow(ReplicateType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	s.result(t)
	require.Len(t, requests, 2, "nothing started again")
	for i, want := range []string{"nobody is named", "say why", "greater than the first", "negative", "nobody is named"} {
		require.ErrorContains(t, refused[i].rejected, want)
	}
}

func TestAnswersLeftAsSignalsAreJudgedLikeUpdates(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.RegisterDelayedCallback(func() {
		s.SignalWorkflow(AnswerName, skipOne())
		s.SignalWorkflow(SetRateName, activities.RateChange{})
	}, 50*time.Millisecond)
	s.RegisterDelayedCallback(func() { s.SignalWorkflow(StopName, struct{}{}) }, 500*time.Millisecond)
	s.ExecuteWorkflow(ReplicateType, MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	got := s.result(t)
	require.Len(t, got.Answers, 1)
	require.Empty(t, got.Rates)
	require.Contains(t, got.Notes[1], "ignored signal")
}
