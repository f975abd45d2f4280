package activities

import (
	"time"

	"rocketshift/plan"
)

// Request is what every activity gets: the plan tells both sides, what is selected and the limits. It never holds a secret.
type Request struct {
	Plan plan.Plan `json:"plan"`
}

// Side names one of the two clusters.
type Side string

// The two sides of a migration.
const (
	Source Side = "source"
	Target Side = "target"
)

// other is the side across.
func (s Side) other() Side {
	if s == Source {
		return Target
	}
	return Source
}

// GroupsRequest names groups and, where it matters, the side to act on.
type GroupsRequest struct {
	Request
	Side   Side     `json:"side"`
	Groups []string `json:"groups"`
	// Ours opens a group on the source only on the brokers where its fence carries the migration's
	// mark. A fence without any mark, of an older release or where rocketshift may not write marks,
	// is opened everywhere.
	Ours bool `json:"ours,omitempty"`
}

// TopicsRequest names topics and, where it matters, the side to act on.
type TopicsRequest struct {
	Request
	Side   Side     `json:"side"`
	Topics []string `json:"topics"`
	// Refused is as in AwaitMoveRequest.
	Refused bool `json:"refused,omitempty"`
}

// AwaitMoveRequest waits until applications have left From. Released says that the pipeline reported it done.
type AwaitMoveRequest struct {
	Request
	From     Side     `json:"from"`
	Groups   []string `json:"groups,omitempty"`
	Topics   []string `json:"topics,omitempty"`
	Released bool     `json:"released,omitempty"`
	// Refused says that applications which have moved already are refused until the wait is over: it
	// looks as often as at first, however long it takes.
	Refused bool `json:"refused,omitempty"`
	// Away is for how long the target may not answer until the activity ends with AwayType; 0 waits
	// for it. Groups are fenced on the source meanwhile.
	Away time.Duration `json:"away,omitempty"`
}
