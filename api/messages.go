package api

import (
	"time"
)

// Approval is a person's answer to one request, by update or signal `approve`.
type Approval struct {
	Gate   string `json:"gate"`
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
	// PlanHash and Evidence, when given, must equal what was shown: an approval of something else
	// is refused.
	PlanHash string    `json:"planHash,omitempty"`
	Evidence string    `json:"evidence,omitempty"`
	At       time.Time `json:"at,omitzero"` // set by the workflow
	// Number is set by a migration that passes the approval on to a stage; the stage reports the
	// result under it.
	Number int64 `json:"number,omitempty"`
}

// Steering is `hold`, `resume` or `back`. None of them needs an approval, but all need a name.
type Steering struct {
	By     string `json:"by"`
	Reason string `json:"reason,omitempty"`
	// Forwarded is set by a migration that passes the message on to its stage, and has noted it.
	Forwarded bool `json:"forwarded,omitempty"`
}

// Released is a release pipeline's message that applications have the other side's address. Empty
// lists mean all applications that are waited for.
type Released struct {
	By     string   `json:"by"`
	Groups []string `json:"groups,omitempty"`
	Topics []string `json:"topics,omitempty"`
	// Asked is set by a migration that passes on a message without names: the gates that were asked
	// for when the message came.
	Asked []string `json:"asked,omitempty"`
	// Forwarded is set by a migration that passes the message on to its stage, and has noted it.
	Forwarded bool `json:"forwarded,omitempty"`
}

// Moved are the applications that have moved: their names while they are few, and how many more.
type Moved struct {
	Groups     []string `json:"groups,omitempty"`
	Topics     []string `json:"topics,omitempty"`
	MoreGroups int      `json:"moreGroups,omitempty"`
	MoreTopics int      `json:"moreTopics,omitempty"`
}

// Any reports whether anything has moved.
func (m Moved) Any() bool {
	return len(m.Groups)+len(m.Topics)+m.MoreGroups+m.MoreTopics > 0
}
