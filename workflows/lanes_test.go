package workflows

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
)

// lanesUntilCancelled plays the Replicate activity, and keeps each request.
func (s *workflowEnvironment) lanesUntilCancelled(requests *[]activities.ReplicateRequest) {
	s.OnActivity("KnowLane", anything, anything).Return(nil)
	s.OnActivity("Replicate", anything, anything).
		Return(func(ctx context.Context, r activities.ReplicateRequest) (api.ReplicationProgress, error) {
			s.mu.Lock()
			*requests = append(*requests, r)
			s.mu.Unlock()
			<-ctx.Done()
			return api.ReplicationProgress{Broker: r.Broker}, ctx.Err()
		})
}

// once does something when so many activities have started.
func (s *workflowEnvironment) once(requests *[]activities.ReplicateRequest, started int, do func()) {
	s.RegisterDelayedCallback(func() {
		s.mu.Lock()
		ready := len(*requests) >= started
		s.mu.Unlock()
		if ready {
			do()
		} else {
			s.once(requests, started, do)
		}
	}, 10*time.Millisecond)
}

func skipOne() api.LaneAnswer {
	return api.LaneAnswer{
		Answer: lane.Answer{Topic: "orders", Broker: "broker-a", Queue: 3, Action: lane.Skip, From: 7, To: 8},
		By:     "alice", Reason: "a test message of 5 MB",
	}
}

func TestAnswersAndRatesReachTheLanesAndStayInTheStatus(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	var answer, rate *answered
	s.once(&requests, 2, func() { answer = s.update(api.AnswerName, skipOne()) })
	s.once(&requests, 4, func() {
		rate = s.update(api.SetRateName, api.RateChange{Rate: lane.Rate{Messages: 100}, Topic: "orders", By: "bob"})
	})
	s.once(&requests, 6, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	got := s.result(t)
	require.NoError(t, answer.rejected)
	require.NoError(t, rate.rejected)
	require.Len(t, requests, 6, "two brokers, three times")
	require.Empty(t, requests[0].Answers)
	for _, r := range requests[2:4] {
		if r.Broker == "broker-a" {
			require.Equal(t, []api.LaneAnswer{{Answer: skipOne().Answer}}, r.Answers)
		} else {
			require.Empty(t, r.Answers, "its lanes are others")
		}
	}
	require.Empty(t, requests[3].Rates)
	require.Equal(t, 100.0, requests[5].Rates[0].Messages)
	require.Equal(t, 2, requests[5].Shards)
	require.Equal(t, "alice", got.Answers[0].By)
	require.False(t, got.Answers[0].At.IsZero())
	require.Equal(t, "orders", got.Rates[0].Topic)
	require.Contains(t, got.Notes[0], "skip offsets 7 to 7")
	require.Equal(t, "stopped", got.Detail)
}

func TestShardsOfABrokerShareItsLanes(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.once(&requests, 6, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	p := testPlan(t, func(p *plan.Plan) { p.Replicate.Shards = 3 })
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: p, Inventory: testInventory()})
	s.result(t)
	seen := map[string]bool{}
	for _, r := range requests {
		require.Equal(t, 3, r.Parts)
		require.Equal(t, 6, r.Shards)
		seen[fmt.Sprint(r.Broker, r.Part)] = true
	}
	require.Len(t, seen, 6, "two brokers, three parts each")
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
	nowhere := skipOne()
	nowhere.Side = "left"
	var refused []*answered
	s.once(&requests, 2, func() {
		for _, a := range []api.LaneAnswer{unsaid, unreasoned, backwards, nowhere} {
			refused = append(refused, s.update(api.AnswerName, a))
		}
		refused = append(refused, s.update(api.SetRateName, api.RateChange{Rate: lane.Rate{Bytes: -1}, By: "bob"}),
			s.update(api.SetRateName, api.RateChange{}))
		s.SignalWorkflow(api.StopName, struct{}{})
	})
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	s.result(t)
	require.Len(t, requests, 2, "nothing started again")
	for i, want := range []string{"nobody is named", "say why", "greater than the first", "side \"left\" is " +
		"unknown", "negative", "nobody is named"} {
		require.ErrorContains(t, refused[i].rejected, want)
	}
}

func TestAnswersLeftAsSignalsAreJudgedLikeUpdates(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.once(&requests, 2, func() {
		s.SignalWorkflow(api.AnswerName, skipOne())
		s.SignalWorkflow(api.SetRateName, api.RateChange{})
	})
	s.once(&requests, 4, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	got := s.result(t)
	require.Len(t, got.Answers, 1)
	require.Empty(t, got.Rates)
	require.Len(t, got.Notes, 2)
	require.Contains(t, got.Notes[0], "ignored signal", "the answer is looked up first")
}
