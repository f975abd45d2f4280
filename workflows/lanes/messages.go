package lanes

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/message"
)

// knowLimit bounds the look at brokers before an answer or a rate is taken. It is less than
// what the CLI waits for the answer (15 s), or that would leave the message a second time.
const knowLimit = 10 * time.Second

// handleLanes registers what persons may tell running lanes. The activities are cancelled,
// checkpoint, and start again with it: a pause of a second or two in copying.
func (r *replication) handleLanes(ctx workflow.Context) error {
	return message.Register(ctx, r,
		message.Message[api.LaneAnswer, string]{
			Name: api.AnswerName,
			Description: `Answer a lane's fault: {"topic": "orders", "broker": "broker-a", "queue": 0, "action": "skip", ` +
				`"from": 7, "to": 8, "by": "alice", "reason": "…"}`,
			Check: func(_ workflow.Context, a api.LaneAnswer) error { return checkAnswer(a) },
			Take:  r.takeAnswer,
		},
		message.Message[api.RateChange, string]{
			Name: api.SetRateName,
			Description: `Bound what is copied in a second, 0 lifts a bound: ` +
				`{"messages": 5000, "bytes": 0, "topic": "orders", "by": "alice"}`,
			Check: func(_ workflow.Context, c api.RateChange) error { return checkRate(c) },
			Take:  r.takeRate,
		},
	)
}

func checkAnswer(a api.LaneAnswer) error {
	if err := message.CheckWords(api.AnswerName, a.By, a.Reason); err != nil {
		return err
	}
	return a.Check()
}

func checkRate(c api.RateChange) error {
	if err := message.CheckWords(api.SetRateName, c.By, c.Reason); err != nil {
		return err
	}
	return c.Check()
}

func (r *replication) takeAnswer(ctx workflow.Context, a api.LaneAnswer) (string, error) {
	if err := r.knowLane(ctx, api.AnswerName, activities.LaneRequest{
		Request: r.Request(), Topic: a.Topic, Broker: a.Broker, Queue: a.Queue, Side: a.Side,
	}); err != nil {
		return "", err
	}
	if err := r.roomFor(ctx, a); err != nil {
		return "", err
	}
	a.At = workflow.Now(ctx)
	r.Status.Answers = api.StandingAnswers(r.Status.Answers, a)
	r.begin(ctx, fmt.Sprintf("answer by %s: %s: %s", a.By, a.Answer, message.OrNoReason(a.Reason)))
	return "answer accepted: the lanes start again with it", nil
}

func (r *replication) takeRate(ctx workflow.Context, c api.RateChange) (string, error) {
	if c.Topic != "" {
		if err := r.knowLane(ctx, api.SetRateName,
			activities.LaneRequest{Request: r.Request(), Topic: c.Topic}); err != nil {
			return "", err
		}
	}
	c.At = workflow.Now(ctx)
	if err := r.setRate(ctx, c); err != nil {
		return "", err
	}
	of := "all topics"
	if c.Topic != "" {
		of = "topic " + c.Topic
	}
	r.begin(ctx, fmt.Sprintf("rate of %s set by %s to %s: %s", of, c.By, c.Rate, message.OrNoReason(c.Reason)))
	return "rate accepted: the lanes start again with it", nil
}

// knowLane refuses what is said about a topic or queue that no lane reads: it would do nothing, and
// stand in the report for ever.
func (r *replication) knowLane(ctx workflow.Context, name string, of activities.LaneRequest) error {
	if !change.Made(ctx, change.LanesKnown) {
		return nil
	}
	var acts *activities.Replication
	summary := name + ": whether lanes read " + of.Topic
	err := workflow.ExecuteActivity(call.Within(ctx, knowLimit, summary), acts.KnowLane, of).Get(ctx, nil)
	if err == nil || call.Lasts(err) {
		return refusedBecause(name, err)
	}
	return temporal.NewApplicationError(fmt.Sprintf("%s: topic %q can't be looked up now, so "+
		"nothing was changed: %s: say it again later",
		name, of.Topic, call.RootMessage(err)), activities.NotReadyType)
}

// refusedBecause is the refusal that a sender sees; nil for no error.
func refusedBecause(name string, err error) error {
	if err == nil {
		return nil
	}
	return temporal.NewNonRetryableApplicationError(name+": "+call.RootMessage(err),
		activities.RefusedType, nil)
}

// begin makes the long activities start again.
func (r *replication) begin(ctx workflow.Context, note string) {
	r.again = true
	r.Note(ctx, "%s", note)
	r.Publish(ctx)
}
