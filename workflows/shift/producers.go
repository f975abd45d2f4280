package shift

import (
	"fmt"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
)

// moveProducers asks for the producers of all topics of the wave, those of ordered topics in one
// question. Ordered topics are closed on the target first; each opens there when nothing is written
// on the source any more and the last message was copied.
func (s *shift) moveProducers(ctx workflow.Context, w activities.Wave) error {
	if !s.Bounded {
		return s.moveProducersBefore(ctx, w)
	}
	s.ForgetReleased()
	var moves []func(workflow.Context) error
	if w.Free.Len() > 0 {
		moves = append(moves, func(ctx workflow.Context) error {
			if err := s.AwaitProducers(ctx, api.Source, w.Free, s.target.NameServers,
				0); err != nil {
				return err
			}
			return s.AwaitDrained(ctx, w.Free)
		})
	}
	if w.Ordered.Len() > 0 {
		moves = append(moves, func(ctx workflow.Context) error { return s.moveOrdered(ctx, w.Ordered) })
	}
	return call.Together(ctx, moves)
}

// moveOrdered moves the producers of ordered topics: all are asked at once, and parts of the topics
// are looked at side by side.
func (s *shift) moveOrdered(ctx workflow.Context, topics api.Names) error {
	var acts *activities.Traffic
	if err := s.onTopics(ctx, "read-only on the target", acts.CloseTopics, topics); err != nil {
		return err
	}
	w := s.ProducersAsked(api.Target, topics, s.target.NameServers)
	w.Gate = "producers of ordered " + api.Short(topics)
	w.Text += "; each ordered topic takes messages on the target when its last one on the source was copied"
	err := s.AskRelease(ctx, w, s.Parts(topics),
		func(ctx workflow.Context, part api.Names, released bool, said []string) workflow.Future {
			request := activities.AwaitMoveRequest{
				Request: s.Request(), From: api.Source, Topics: part,
				Released: released, Said: said,
			}
			return openOrdered(ctx, request)
		})
	if err != nil && ctx.Err() != nil && change.Made(ctx, change.Stranded) {
		s.openDrained(ctx, topics)
	}
	return err
}

// openDrained is for a move that is cancelled while producers may write nowhere: they have left the
// source, and the target isn't open yet. Topics on which the source is quiet are opened if the
// lanes bring the rest in time.
func (s *shift) openDrained(ctx workflow.Context, topics api.Names) {
	ctx, cancel := workflow.NewDisconnectedContext(ctx)
	defer cancel()
	var acts *activities.Traffic
	for _, part := range s.Parts(topics) {
		names := api.Short(part)
		request := activities.AwaitMoveRequest{
			Request: s.Request(), From: api.Source, Topics: part, Released: true,
		}
		err := workflow.ExecuteActivity(call.IfItAnswers(ctx, s.Plan.Shift.FenceLimit(),
			"cancelled: topics that are left open on the target: "+names), acts.MoveOrdered,
			request).Get(ctx, nil)
		if err != nil {
			s.Note(ctx, "producers of %s may write on the source alone until it is resumed: %s", names,
				call.RootMessage(err))
		}
	}
}

// onTopics opens or closes topics on the target, a part after another.
func (s *shift) onTopics(
	ctx workflow.Context, what string, activity any, topics api.Names,
) error {
	for _, part := range s.Parts(topics) {
		request := activities.TopicsRequest{
			Request: s.Request(), Side: api.Target, Topics: part,
		}
		if err := workflow.ExecuteActivity(call.Quick(ctx, what+": "+api.Short(part)), activity,
			request).Get(ctx, nil); err != nil {
			return err
		}
	}
	return nil
}

// checkWave measures the parts of a wave side by side.
func (s *shift) checkWave(
	ctx workflow.Context, w activities.Wave,
) (sum api.WaveCheck, err error) {
	topics, groups := s.Parts(w.Topics), s.Parts(w.Groups)
	var moves []func(workflow.Context) error
	for i := range max(len(topics), len(groups)) {
		part := activities.Wave{Step: w.Step}
		if i < len(topics) {
			part.Topics = topics[i]
		}
		if i < len(groups) {
			part.Groups = groups[i]
		}
		moves = append(moves, func(ctx workflow.Context) error {
			var acts *activities.Traffic
			var check api.WaveCheck
			request := activities.WaveRequest{Request: s.Request(), Wave: part}
			summary := fmt.Sprintf("check of step %d%%", w.Step)
			err := heldCheck(ctx, summary, acts.CheckWave, request).Get(ctx, &check)
			if err == nil && check.Measured.IsZero() {
				err = temporal.NewNonRetryableApplicationError(
					"the check of the step brought no evidence", call.NoEvidenceType, nil)
			}
			sum = sum.Plus(check)
			return err
		})
	}
	err = call.AllOf(ctx, moves)
	return sum, err
}

// heldCheck is for the check of a soak, which is held until it passes.
func heldCheck(ctx workflow.Context, summary string, check, request any) workflow.Future {
	if !change.Made(ctx, change.HeldSoak) {
		return workflow.ExecuteActivity(call.Quick(ctx, summary), check, request)
	}
	return call.WaitFor(ctx, 0, summary, check, request)
}
