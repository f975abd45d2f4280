package workflows

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/moving"
	"rocketshift/workflows/stage"
)

// movesOrdered plays moves of ordered topics that leave none to wait for.
func (s *workflowEnvironment) movesOrdered(move func(activities.AwaitMoveRequest) error) {
	s.OnActivity("MoveOrdered", anything, anything).Return(
		func(_ context.Context, r activities.AwaitMoveRequest) (left activities.OrderedMove, err error) {
			return left, move(r)
		})
}

// orderedTopics plays producers of ordered topics that leave the source, and may come back.
type orderedTopics struct {
	*workflowEnvironment
	writing  int              // topics whose producers write on the source
	returns  bool             // they come back while the look that saw them leave ends
	seen     activities.Quiet // what it saw
	asked    []time.Duration  // what MoveOrdered was given to look for
	requests []activities.AwaitMoveRequest
}

func playOrdered(t *testing.T) *orderedTopics {
	t.Helper()
	o := &orderedTopics{workflowEnvironment: newTheatre(t), writing: 1}
	o.OnActivity("MoveOrdered", anything, anything).Return(o.move)
	o.OnActivity("AwaitOrdered", anything, anything).Return(o.look)
	o.playTraffic()
	return o
}

func (o *orderedTopics) move(
	ctx context.Context, r activities.AwaitMoveRequest,
) (left activities.OrderedMove, err error) {
	info := activity.GetInfo(ctx)
	if info.Attempt == 1 {
		o.note("move")
		o.requests = append(o.requests, r)
		o.asked = append(o.asked, r.Stay)
	}
	if o.writing == 0 || r.Released && r.Stay > 0 {
		o.note("open")
		return left, nil
	}
	if r.Stay > 0 && info.Attempt > 3 {
		return activities.OrderedMove{Waiting: o.writing}, nil
	}
	return left, againIn(max(r.Stay, 30*time.Second) / 3)
}

func (o *orderedTopics) look(
	ctx context.Context, r activities.AwaitMoveRequest,
) (quiet activities.Quiet, err error) {
	if r.Stay > 0 || r.Stood != nil {
		return quiet, temporal.NewNonRetryableApplicationError("not of a look", "Test", nil)
	}
	if o.writing > 0 && !o.returns {
		return quiet, stillWaits(ctx)
	}
	o.note("look")
	return o.seen, nil
}

func (o *orderedTopics) shift(t *testing.T) {
	t.Helper()
	o.ExecuteWorkflow(api.ShiftType, api.MigrationInput{
		Plan: testPlan(t, oneStep), Inventory: testInventory(),
	})
}

func TestOrderedTopicsThatWaitLongOpenWhenTheirProducersLeave(t *testing.T) {
	o := playOrdered(t)
	o.RegisterDelayedCallback(func() { o.writing = 0 }, 30*time.Hour)
	o.shift(t)
	require.Equal(t, api.StateDone, o.result(t).State)
	requireOrder(t, o.called(), "move", "look", "move", "open")
}

// Who looks may see a pause of producers that write again a moment later: what opens topics judges
// by itself, and the wait goes on, under the same question.
func TestProducersOfOrderedTopicsThatComeBackAreWaitedForAgain(t *testing.T) {
	o := playOrdered(t)
	o.returns = true
	o.RegisterDelayedCallback(func() {
		w := o.statusNow(t).Waiting
		require.Len(t, w, 1)
		require.WithinDuration(t, o.Now().Add(-10*time.Hour), w[0].Since, time.Minute)
		require.NotContains(t, o.called(), "open")
		o.writing = 0
	}, 10*time.Hour)
	o.shift(t)
	require.Equal(t, api.StateDone, o.result(t).State)
	require.Equal(t, []time.Duration{
		call.PatientAfter, 2 * call.PatientAfter, 4 * call.PatientAfter, 8 * call.PatientAfter, 16 * call.PatientAfter,
		call.OldAfter, call.OldAfter,
	}, o.asked[:7], "turns that bring nothing get longer, or the history fills")
}

// Else each topic would have to stand still for the settle time once more, while its producers are
// refused on the target.
func TestTheMoveOfOrderedTopicsKnowsWhatStoodStill(t *testing.T) {
	o := playOrdered(t)
	const stood = `{"stood":{"orders":[7,1790000000000,0]}}`
	require.NoError(t, json.Unmarshal([]byte(stood), &o.seen))
	o.RegisterDelayedCallback(func() { o.writing = 0 }, 3*time.Hour)
	o.shift(t)
	require.Equal(t, api.StateDone, o.result(t).State)
	require.Nil(t, o.requests[0].Stood)
	given, err := json.Marshal(activities.Quiet{Stood: o.requests[1].Stood})
	require.NoError(t, err)
	require.JSONEq(t, stood, string(given))
}

func TestThePipelinesWordEndsALongWaitForProducersOfOrderedTopics(t *testing.T) {
	o := playOrdered(t)
	o.RegisterDelayedCallback(func() {
		require.NotContains(t, o.called(), "open")
		o.update(api.ReleasedName, api.Released{By: "ci"})
	}, 3*time.Hour)
	o.RegisterDelayedCallback(func() {
		require.Contains(t, o.called(), "open")
	}, 3*time.Hour+time.Second)
	o.shift(t)
	require.Equal(t, api.StateDone, o.result(t).State)
}

// Nobody waits for the end of a look, whose worker may be dead.
func TestALongWaitForProducersOfOrderedTopicsIsSteered(t *testing.T) {
	const at = 3 * time.Hour
	for name, steer := range map[string]func(*orderedTopics){
		"back":   func(o *orderedTopics) { o.update(api.BackName, api.Steering{By: "alice"}) },
		"cancel": func(o *orderedTopics) { o.CancelWorkflow() },
	} {
		t.Run(name, func(t *testing.T) {
			o := playOrdered(t)
			begun := o.Now()
			o.RegisterDelayedCallback(func() { steer(o) }, at)
			o.shift(t)
			require.True(t, o.IsWorkflowCompleted())
			require.Error(t, o.GetWorkflowError())
			require.NotContains(t, o.called(), "open")
			// producers that may write nowhere get the target, within the fence budget
			require.LessOrEqual(t, o.Now().Sub(begun), at+2*time.Minute)
		})
	}
	o := playOrdered(t)
	o.RegisterDelayedCallback(func() { o.update(api.HoldName, api.Steering{By: "bob", Reason: "lunch"}) }, at)
	o.RegisterDelayedCallback(func() { o.writing = 0 }, at+6*time.Hour)
	o.RegisterDelayedCallback(func() {
		require.Contains(t, o.called(), "open", "a hold is for the next step")
		require.Equal(t, api.StateHeld, o.statusNow(t).State)
		o.update(api.ResumeName, api.Steering{By: "bob"})
	}, at+24*time.Hour)
	o.shift(t)
	require.Equal(t, api.StateDone, o.result(t).State)
}

// What opens topics may be at it just then: `back` must not close them before. (Temporal's test
// environment forgets cancelled activities at once, so that this is about the future alone.)
func TestTheEndOfWhatOpensTopicsIsWaitedFor(t *testing.T) {
	s := emptyTheatre(t)
	const takes = 10 * time.Second
	s.RegisterWorkflowWithOptions(func(ctx workflow.Context, in api.MigrationInput) (api.Status, error) {
		d, err := stage.New(ctx, api.ShiftType, in)
		if err != nil {
			return api.Status{}, err
		}
		poll := func(ctx workflow.Context, _ api.Names, _ bool, _ []string) workflow.Future {
			proof, settable := workflow.NewFuture(ctx)
			workflow.Go(ctx, func(ctx workflow.Context) {
				ctx.Done().Receive(ctx, nil)
				disconnected, _ := workflow.NewDisconnectedContext(ctx)
				_ = workflow.Sleep(disconnected, takes)
				s.note("end")
				settable.Set(nil, ctx.Err())
			})
			return proof
		}
		return api.Status{}, moving.New(d).PollPart(ctx, api.Waiting{}, api.Some("orders"), poll)
	}, workflow.RegisterOptions{Name: api.ShiftType})
	s.RegisterDelayedCallback(s.CancelWorkflow, time.Minute)
	s.ExecuteWorkflow(api.ShiftType, api.MigrationInput{Plan: testPlan(t, nil)})
	require.True(t, temporal.IsCanceledError(s.GetWorkflowError()), "%v", s.GetWorkflowError())
	require.Equal(t, []string{"end"}, s.called())
}
