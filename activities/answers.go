package activities

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/documents/lists"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
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
	all, err := lists.Resolve(ctx, r.settings.Store, q.Earlier)
	if err != nil {
		return api.List[api.LaneAnswer]{}, err
	}
	all = slices.Clone(all)
	for _, a := range q.Answers {
		all = api.StandingAnswers(all, a)
	}
	return lists.Stored(ctx, r.settings.lists(q.Request), "answers to faults of lanes", all, lists.RowsRoom)
}

// steered are the lanes' options with what persons decided so far.
func (q ReplicateRequest) steered(o replicator.Options) replicator.Options {
	o.Answers = plain(q.Answers)
	return o
}

// plain leaves out who answered, when and why.
func plain(answers []api.LaneAnswer) (all []lane.Answer) {
	for _, a := range answers {
		all = append(all, a.Answer)
	}
	return all
}

// setRates gives the lanes of one source broker their share of the rates.
func (q ReplicateRequest) setRates(r *replicator.Replicator) {
	shards := float64(max(q.Shards, 1))
	for _, c := range q.Rates {
		r.SetRate(c.Topic, lane.Rate{Messages: c.Messages / shards, Bytes: c.Bytes / shards})
	}
}
