package activities

import (
	"fmt"
	"strings"
	"time"

	"rocketshift/replicator"
)

// LaneAnswer is what a person decides about a lane that stopped with a fault.
type LaneAnswer struct {
	replicator.Answer
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"` // set by the workflow
}

// Check says why an answer can't be taken, or nil.
func (a LaneAnswer) Check() error {
	if strings.TrimSpace(a.By) == "" {
		return fmt.Errorf("answer: nobody is named: say who answers in \"by\"")
	}
	if (a.Action == replicator.Skip || a.Action == replicator.Restart) && strings.TrimSpace(a.Reason) == "" {
		return fmt.Errorf("answer: %s: messages are given up, or a lane begins anew: say why in \"reason\", for the report", a.Answer)
	}
	if err := a.Validate(); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}

// RateChange bounds what the lanes copy in a second: all of them, or those of one topic.
type RateChange struct {
	replicator.Rate
	Topic  string    `json:"topic,omitempty"` // absent: all topics together
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"` // set by the workflow
}

// Check says why a rate can't be set, or nil.
func (c RateChange) Check() error {
	if strings.TrimSpace(c.By) == "" {
		return fmt.Errorf("setRate: nobody is named: say who asks in \"by\"")
	}
	if c.Messages < 0 || c.Bytes < 0 {
		return fmt.Errorf("setRate: %g messages and %g bytes a second: neither can be negative; 0 lifts a bound", c.Messages, c.Bytes)
	}
	return nil
}

// steered are the lanes' options with what persons decided so far.
func (q ReplicateRequest) steered(o replicator.Options) replicator.Options {
	o.Answers = plain(q.Answers)
	return o
}

// plain leaves out who answered, when and why.
func plain(answers []LaneAnswer) (all []replicator.Answer) {
	for _, a := range answers {
		all = append(all, a.Answer)
	}
	return all
}

// setRates gives the lanes of one source broker their share of the rates.
func (q ReplicateRequest) setRates(r *replicator.Replicator) {
	shards := float64(max(q.Shards, 1))
	for _, c := range q.Rates {
		r.SetRate(c.Topic, replicator.Rate{Messages: c.Messages / shards, Bytes: c.Bytes / shards})
	}
}
