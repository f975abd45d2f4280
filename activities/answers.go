package activities

import (
	"context"
	"slices"

	"rocketshift/replicator"
)

// Answers of persons stand for as long as the migration: what was given up mustn't count as
// missing. They are kept, in their order, as those before them, in a document, and those since.

// StandingAnswers adds an answer behind others, without what it supersedes: a lane's last retry,
// which gives nothing up, and a skip of offsets that it names too.
func StandingAnswers(answers []LaneAnswer, a LaneAnswer) []LaneAnswer {
	for i := len(answers) - 1; i >= 0; i-- {
		b := &answers[i]
		if !a.sameLane(b) {
			continue
		}
		if b.Action == replicator.Restart {
			break // offsets before it are of another topic
		}
		if b.Action == replicator.Retry ||
			a.Action == replicator.Skip && a.From <= b.From && b.To <= a.To {
			answers = slices.Delete(answers, i, i+1)
		}
	}
	return append(answers, a)
}

// AnswersOfLanes are the answers that lanes of a source broker need, without who gave them and why:
// a retry is over when they begin, and offsets to skip before a restart are of another topic. Which
// lanes back begin at a broker of the target isn't known here, so that they get all of theirs.
func AnswersOfLanes(answers []LaneAnswer, broker string) (needed []LaneAnswer) {
	for _, a := range answers {
		back := a.Side == replicator.SideTarget
		if a.Action == replicator.Retry || !back && a.Broker != broker {
			continue
		}
		if a.Action == replicator.Restart {
			needed = slices.DeleteFunc(needed, func(b LaneAnswer) bool {
				return a.sameLane(&b) && b.Action == replicator.Skip
			})
		}
		needed = append(needed, LaneAnswer{Answer: a.Answer})
	}
	return needed
}

// sameLane reports whether both are about the same queue, of the same side.
func (a *LaneAnswer) sameLane(b *LaneAnswer) bool {
	return a.Queue == b.Queue && a.Topic == b.Topic && a.Broker == b.Broker &&
		(a.Side == replicator.SideTarget) == (b.Side == replicator.SideTarget)
}

// KeepAnswersRequest asks to keep answers with those before them.
type KeepAnswersRequest struct {
	Request
	Earlier List[LaneAnswer] `json:"earlier,omitzero"`
	Answers []LaneAnswer     `json:"answers"`
}

// KeepAnswers writes answers into a document, after those before them.
func (r *Replication) KeepAnswers(
	ctx context.Context, q KeepAnswersRequest,
) (List[LaneAnswer], error) {
	all, err := resolve(ctx, r.settings, q.Earlier)
	if err != nil {
		return List[LaneAnswer]{}, err
	}
	all = slices.Clone(all)
	for _, a := range q.Answers {
		all = StandingAnswers(all, a)
	}
	return stored(ctx, r.settings, q.Request, "answers to faults of lanes", all, rowsRoom)
}

// answersOf are all answers, wherever they stand.
func answersOf(
	ctx context.Context, s Settings, earlier List[LaneAnswer], answers []LaneAnswer,
) ([]LaneAnswer, error) {
	before, err := resolve(ctx, s, earlier)
	return slices.Concat(before, answers), err
}
