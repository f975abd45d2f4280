package activities

import "rocketshift/plan"

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
}

// TopicsRequest names topics and, where it matters, the side to act on.
type TopicsRequest struct {
	Request
	Side   Side     `json:"side"`
	Topics []string `json:"topics"`
}

// AwaitMoveRequest waits until applications have left From. Released says that the pipeline reported it done.
type AwaitMoveRequest struct {
	Request
	From     Side     `json:"from"`
	Groups   []string `json:"groups,omitempty"`
	Topics   []string `json:"topics,omitempty"`
	Released bool     `json:"released,omitempty"`
}
