package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/replicator/lane"
)

// StandingAnswers adds an answer after others, and removes those that it supersedes: a lane's last
// retry, which gives nothing up, and a skip of offsets that it also names.
func StandingAnswers(answers []LaneAnswer, a LaneAnswer) []LaneAnswer {
	for i := len(answers) - 1; i >= 0; i-- {
		b := &answers[i]
		if !a.sameLane(b) {
			continue
		}
		if b.Action == lane.Restart {
			break // offsets before it belong to the old topic
		}
		if b.Action == lane.Retry ||
			a.Action == lane.Skip && a.From <= b.From && b.To <= a.To {
			answers = slices.Delete(answers, i, i+1)
		}
	}
	return append(answers, a)
}

// AnswersOfLanes are the answers that lanes of a source broker need, without who gave them and why.
// They need no retry when they begin, and no skip before a restart, which belongs to the old topic.
// Which reverse lanes begin at a broker of the target is unknown here, so they get all answers of
// the target.
func AnswersOfLanes(answers []LaneAnswer, broker string) (needed []LaneAnswer) {
	for _, a := range answers {
		back := a.Side == lane.SideTarget
		if a.Action == lane.Retry || !back && a.Broker != broker {
			continue
		}
		if a.Action == lane.Restart {
			needed = slices.DeleteFunc(needed, func(b LaneAnswer) bool {
				return a.sameLane(&b) && b.Action == lane.Skip
			})
		}
		needed = append(needed, LaneAnswer{Answer: a.Answer})
	}
	return needed
}

// sameLane reports whether both are about the same queue, of the same side.
func (a *LaneAnswer) sameLane(b *LaneAnswer) bool {
	return a.Queue == b.Queue && a.Topic == b.Topic && a.Broker == b.Broker &&
		(a.Side == lane.SideTarget) == (b.Side == lane.SideTarget)
}

// LaneAnswer is what a person decides about a lane that stopped with a fault.
type LaneAnswer struct {
	lane.Answer
	By     string    `json:"by"`
	Reason string    `json:"reason,omitempty"`
	At     time.Time `json:"at,omitzero"` // set by the workflow
}

// Check says why an answer can't be taken, or nil.
func (a LaneAnswer) Check() error {
	if strings.TrimSpace(a.By) == "" {
		return fmt.Errorf("answer: nobody is named: say who answers in \"by\"")
	}
	if (a.Action == lane.Skip || a.Action == lane.Restart) && strings.TrimSpace(a.Reason) == "" {
		return fmt.Errorf(
			"answer: %s: messages are given up, or a lane begins anew: say why in \"reason\", for the report",
			a.Answer,
		)
	}
	if err := a.Validate(); err != nil {
		return fmt.Errorf("answer: %w", err)
	}
	return nil
}
