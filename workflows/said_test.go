package workflows

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/internal/documents"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/workflows/lanes"
)

const (
	mostPayload = 256 << 10 // as of activities' tests
	mostHistory = 10 << 20
	mostEvents  = 10_000
	// eventBytes is what an event has beside its payload, more than what recorded histories have.
	eventBytes = 400
)

// saidFor plays Replicate run after run, with four shards and a large plan, while a person says
// something each time that the lanes run. What Temporal would keep of it is added up.
type saidFor struct {
	t       *testing.T
	input   api.MigrationInput
	store   activities.Settings
	runs    int
	payload int // the largest
	said    int
	open    []*answered // what was said last
	last    []activities.ReplicateRequest
}

func newSaidFor(t *testing.T) *saidFor {
	t.Helper()
	store, err := documents.New(t.TempDir())
	require.NoError(t, err)
	p := testPlan(t, func(p *plan.Plan) { p.Replicate.Shards = 2 }) // of each of two brokers
	for i := 0; lanes.SizeOf(p) < 16<<10; i++ {
		p.Topics.Include = append(p.Topics.Include, fmt.Sprintf("orders-%04d-*", i))
	}
	return &saidFor{
		t: t, input: api.MigrationInput{Plan: p, Inventory: testInventory()},
		store: activities.Settings{Root: t.TempDir(), Store: store},
	}
}

// run plays one run, and reports whether it goes on in another.
func (f *saidFor) run(times int, say func(s *workflowEnvironment, n int) []*answered) (more bool) {
	f.t.Helper()
	f.runs++
	s := newTheatre(f.t)
	bytes, events := 0, 0
	kept := func(n int, values ...any) { // in events of the history
		for _, v := range values {
			size := lanes.SizeOf(v)
			f.payload = max(f.payload, size)
			bytes += size
		}
		events, bytes = events+n, bytes+n*eventBytes
		s.SetCurrentHistoryLength(events)
		s.SetCurrentHistorySize(bytes)
	}
	kept(20, f.input)
	real := activities.NewReplication(f.store)
	s.OnActivity("KnowLane", anything, anything).Return(func(_ context.Context, r activities.LaneRequest) error {
		kept(6, r)
		return nil
	})
	s.OnActivity("KeepAnswers", anything, anything).Return(
		func(ctx context.Context, r activities.KeepAnswersRequest) (api.List[api.LaneAnswer], error) {
			list, err := real.KeepAnswers(ctx, r)
			kept(6, r, list)
			return list, err
		})
	var requests []activities.ReplicateRequest
	s.OnActivity("Replicate", anything, anything).
		Return(func(ctx context.Context, r activities.ReplicateRequest) (api.ReplicationProgress, error) {
			s.mu.Lock()
			requests = append(requests, r)
			// with its cancellation, a report to the parent, and the tasks between them
			kept(10, r, string(make([]byte, 2<<10)))
			s.mu.Unlock()
			<-ctx.Done()
			return api.ReplicationProgress{}, ctx.Err()
		})
	var next func(started int)
	next = func(started int) {
		s.once(&requests, started, func() {
			if f.said++; f.said > times {
				s.SignalWorkflow(api.StopName, struct{}{})
				return
			}
			f.open = say(s, f.said)
			for _, a := range f.open {
				require.NoError(f.t, a.rejected)
			}
			next(started + 4)
		})
	}
	next(4)
	s.ExecuteWorkflow(api.ReplicateType, f.input)
	f.last = requests[len(requests)-4:]
	assert.Less(f.t, bytes, mostHistory, "bytes of run %d", f.runs)
	assert.Less(f.t, events, mostEvents, "events of run %d", f.runs)
	for _, a := range f.open {
		if !a.completed { // it came after the run's end, and whoever says it is told so
			f.said--
			break
		}
	}
	f.open = nil
	var again *workflow.ContinueAsNewError
	if !errors.As(s.GetWorkflowError(), &again) {
		status := s.result(f.t)
		f.payload = max(f.payload, lanes.SizeOf(status))
		f.input.Answers, f.input.EarlierAnswers, f.input.Rates = status.Answers, status.EarlierAnswers, status.Rates
		return false
	}
	require.NoError(f.t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &f.input))
	return true
}

func TestAThousandAnswersFitInHistories(t *testing.T) {
	t.Parallel()
	f := newSaidFor(t)
	const atOnce = 4 // as who answers all faults of a broker
	for f.run(1000/atOnce, func(s *workflowEnvironment, n int) (all []*answered) {
		for i := range atOnce {
			a := skipOne()
			a.Topic, a.Queue = fmt.Sprintf("orders-%06d-europe-created", n*atOnce+i), n%64
			a.Reason = strings.Repeat("r", 60)
			if n%2 == 0 {
				a.Broker = "broker-b"
			}
			all = append(all, s.update(api.AnswerName, a))
		}
		return all
	}) {
	}
	assert.Less(t, f.payload, mostPayload)
	assert.Greater(t, f.runs, 1)
	assert.Equal(t, 1000, f.input.EarlierAnswers.Len()+len(f.input.Answers), "the report has them all")
	assert.Less(t, lanes.SizeOf(f.last[0]), 64<<10)
	for _, r := range f.last {
		for _, a := range r.Answers {
			assert.Equal(t, r.Broker, a.Broker)
			assert.Empty(t, a.Reason)
		}
	}
	t.Logf("%d runs, largest payload %d bytes, %d answers in a document", f.runs, f.payload,
		f.input.EarlierAnswers.Len())
}

func TestAnHourlyRateForAMonthFitsInHistories(t *testing.T) {
	t.Parallel()
	f := newSaidFor(t)
	const month = 30 * 24
	for f.run(month, func(s *workflowEnvironment, n int) []*answered {
		return []*answered{s.update(api.SetRateName, api.RateChange{
			Rate: lane.Rate{Messages: float64(n)}, Topic: []string{"orders", ""}[n%2],
			By: "a timer", Reason: "the hour of the day",
		})}
	}) {
	}
	assert.Less(t, f.payload, mostPayload)
	require.Len(t, f.input.Rates, 2, "one of the topic, one of all")
	assert.Equal(t, []float64{month - 1, month}, []float64{f.last[0].Rates[0].Messages, f.last[0].Rates[1].Messages})
	t.Logf("%d runs, largest payload %d bytes", f.runs, f.payload)
}

// untilAnswered does something when an update has been answered.
func untilAnswered(s *workflowEnvironment, a **answered, do func()) {
	s.RegisterDelayedCallback(func() {
		if *a != nil && (*a).completed {
			do()
			return
		}
		untilAnswered(s, a, do)
	}, 10*time.Millisecond)
}

func TestRatesOfTooManyTopicsAreRefused(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	rate := func(n int, messages float64) api.RateChange {
		return api.RateChange{
			Rate: lane.Rate{
				Messages: messages,
			}, Topic: fmt.Sprint("orders-", n), By: "alice", Reason: strings.Repeat("r", 940),
		}
	}
	var in api.MigrationInput
	for n := range 16 {
		in.Rates = append(in.Rates, rate(n, 5))
	}
	in.Plan, in.Inventory = testPlan(t, nil), testInventory()
	var refused, lifted, taken *answered
	s.once(&requests, 2, func() { refused = s.update(api.SetRateName, rate(100, 5)) })
	untilAnswered(s, &refused, func() {
		lifted = s.update(api.SetRateName, rate(7, 0))
		s.once(&requests, 4, func() { taken = s.update(api.SetRateName, rate(200, 5)) })
	})
	s.once(&requests, 6, func() { s.SignalWorkflow(api.StopName, struct{}{}) })
	s.ExecuteWorkflow(api.ReplicateType, in)
	got := s.result(t)
	require.ErrorContains(t, refused.err, "lift one")
	require.NoError(t, lifted.err)
	require.NoError(t, taken.err)
	require.LessOrEqual(t, lanes.SizeOf(got.Rates), lanes.MostRateBytes)
	b, err := json.Marshal(got.Rates)
	require.NoError(t, err)
	require.NotContains(t, string(b), `"topic":"orders-7"`)
}

func TestASignalThatCameBeforeANewRunIsTaken(t *testing.T) {
	s := newTheatre(t)
	var requests []activities.ReplicateRequest
	s.lanesUntilCancelled(&requests)
	s.SetContinueAsNewSuggested(true)
	s.once(&requests, 2, func() {
		s.SignalWorkflow(api.SetRateName, api.RateChange{Rate: lane.Rate{Messages: 1}, By: "alice"})
		s.SignalWorkflow(api.AnswerName, skipOne())
	})
	s.ExecuteWorkflow(api.ReplicateType, api.MigrationInput{Plan: testPlan(t, nil), Inventory: testInventory()})
	var again *workflow.ContinueAsNewError
	require.ErrorAs(t, s.GetWorkflowError(), &again)
	var in api.MigrationInput
	require.NoError(t, converter.GetDefaultDataConverter().FromPayloads(again.Input, &in))
	require.Len(t, in.Rates, 1)
	require.Len(t, in.Answers, 1)
	require.Equal(t, "orders-2026", in.Plan.Name)
	require.NotEmpty(t, in.PlanHash)
	require.NotNil(t, in.Inventory)
}
