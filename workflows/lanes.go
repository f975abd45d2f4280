package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// handleLanes registers what persons may tell running lanes. The activities are cancelled, checkpoint, and start again with it: a pause
// of a second or two in copying.
func (d *desk) handleLanes(ctx workflow.Context) error {
	answer := func(ctx workflow.Context, a activities.LaneAnswer) (string, error) { return d.takeAnswer(ctx, a), nil }
	err := workflow.SetUpdateHandlerWithOptions(ctx, AnswerName, answer, workflow.UpdateHandlerOptions{
		Validator:   func(_ workflow.Context, a activities.LaneAnswer) error { return a.Check() },
		Description: `Answer a lane's fault: {"topic": "orders", "broker": "broker-a", "queue": 0, "action": "skip", "from": 7, "to": 8, "by": "alice", "reason": "…"}`,
	})
	if err != nil {
		return err
	}
	setRate := func(ctx workflow.Context, c activities.RateChange) (string, error) { return d.takeRate(ctx, c), nil }
	err = workflow.SetUpdateHandlerWithOptions(ctx, SetRateName, setRate, workflow.UpdateHandlerOptions{
		Validator:   func(_ workflow.Context, c activities.RateChange) error { return c.Check() },
		Description: `Bound what is copied in a second, 0 lifts a bound: {"messages": 5000, "bytes": 0, "topic": "orders", "by": "alice"}`,
	})
	if err != nil {
		return err
	}
	listen(ctx, AnswerName, func(ctx workflow.Context, a activities.LaneAnswer) error {
		if err := judged(ctx, a.Check); err != nil {
			return err
		}
		d.takeAnswer(ctx, a)
		return nil
	}, d)
	listen(ctx, SetRateName, func(ctx workflow.Context, c activities.RateChange) error {
		if err := judged(ctx, c.Check); err != nil {
			return err
		}
		d.takeRate(ctx, c)
		return nil
	}, d)
	return nil
}

func (d *desk) takeAnswer(ctx workflow.Context, a activities.LaneAnswer) string {
	a.At = workflow.Now(ctx)
	d.status.Answers = append(d.status.Answers, a)
	d.begin(ctx, fmt.Sprintf("answer by %s: %s: %s", a.By, a.Answer, orNoReason(a.Reason)))
	return "answer accepted: the lanes start again with it"
}

func (d *desk) takeRate(ctx workflow.Context, c activities.RateChange) string {
	c.At = workflow.Now(ctx)
	d.status.Rates = append(d.status.Rates, c)
	of := "all topics"
	if c.Topic != "" {
		of = "topic " + c.Topic
	}
	d.begin(ctx, fmt.Sprintf("rate of %s set by %s to %s: %s", of, c.By, c.Rate, orNoReason(c.Reason)))
	return "rate accepted: the lanes start again with it"
}

// begin makes the long activities start again.
func (d *desk) begin(ctx workflow.Context, note string) {
	d.again = true
	d.note(ctx, "%s", note)
	d.publish(ctx)
}
