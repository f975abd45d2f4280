package activities

import (
	"rocketshift/api"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
)

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
