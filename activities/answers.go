package activities

import (
	"context"
	"slices"

	"rocketshift/api"
)

// Answers of persons stand for as long as the migration: what was given up mustn't count as
// missing. They are kept, in their order, as those before them, in a document, and those since.

// KeepAnswersRequest asks to keep answers with those before them.
type KeepAnswersRequest struct {
	Request
	Earlier api.List[api.LaneAnswer] `json:"earlier,omitzero"`
	Answers []api.LaneAnswer         `json:"answers"`
}

// KeepAnswers writes answers into a document, after those before them.
func (r *Replication) KeepAnswers(
	ctx context.Context, q KeepAnswersRequest,
) (_ api.List[api.LaneAnswer], err error) {
	defer explained(&err)
	all, err := resolve(ctx, r.settings, q.Earlier)
	if err != nil {
		return api.List[api.LaneAnswer]{}, err
	}
	all = slices.Clone(all)
	for _, a := range q.Answers {
		all = api.StandingAnswers(all, a)
	}
	return stored(ctx, r.settings, q.Request, "answers to faults of lanes", all, rowsRoom)
}

// answersOf are all answers, wherever they stand.
func answersOf(
	ctx context.Context, s Settings, earlier api.List[api.LaneAnswer], answers []api.LaneAnswer,
) ([]api.LaneAnswer, error) {
	before, err := resolve(ctx, s, earlier)
	return slices.Concat(before, answers), err
}
