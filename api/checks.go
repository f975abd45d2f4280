package api

import (
	"fmt"
	"strings"
	"time"
)

// Past are clients that reach brokers without a gateway of the migration: their groups can't move
// exactly, nor can the homes of what they write.
type Past struct {
	Count   int      `json:"count"`
	Clients []string `json:"clients"` // the first maxPast, each with its address and what it does
	// why they can't be found, or why producers can't be found by what they write
	Unknown string `json:"unknown,omitempty"`
}

// String says it in one line.
func (p *Past) String() string {
	switch {
	case p == nil || p.Count == 0 && p.Unknown == "":
		return ""
	case p.Count == 0:
		return p.Unknown
	case p.Count > len(p.Clients):
		return fmt.Sprintf("%d clients reach brokers past the gateways: %s, and others", p.Count,
			strings.Join(p.Clients, ", "))
	}
	return fmt.Sprintf("%d clients reach brokers past the gateways: %s", p.Count, strings.Join(p.Clients, ", "))
}

// OrNil is nil where there is nothing to say.
func (p *Past) OrNil() *Past {
	if p.String() == "" {
		return nil
	}
	return p
}

// WaveCheck is the evidence of a soak: whether everything of the wave is where it should be.
type WaveCheck struct {
	// messages that bypassing producers wrote on the side that was left, since the settle time
	// began
	SourcePuts  int64     `json:"sourcePuts"`
	TargetPuts  int64     `json:"targetPuts"` // messages that producers have written on the target
	Lag         int64     `json:"lag"`
	MembersLeft int       `json:"membersLeft"`
	Measured    time.Time `json:"measured"`
	// percent of producers' messages that went to the target while the step stood; mode gateway
	Share float64 `json:"share,omitempty"`
	Past  *Past   `json:"past,omitempty"` // clients that bypass the gateways; mode gateway

	// Of a soak in mode gateway: the percentage of messages that should go to the target, by the
	// homes of the queues; messages of queues whose home is the target; messages on another side
	// than their queue's home; since when they are counted; and what is doubtful, if anything.
	Want      float64   `json:"want,omitempty"`
	Moved     int64     `json:"moved,omitempty"`
	Misplaced int64     `json:"misplaced,omitempty"`
	Since     time.Time `json:"since,omitzero"`
	Doubt     string    `json:"doubt,omitempty"`
}

// Plus is the check of two parts of one step.
func (c WaveCheck) Plus(o WaveCheck) WaveCheck {
	o.SourcePuts += c.SourcePuts
	o.TargetPuts += c.TargetPuts
	o.Lag += c.Lag
	o.MembersLeft += c.MembersLeft
	return o
}
