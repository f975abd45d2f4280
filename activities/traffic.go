package activities

import (
	"context"
	"time"

	"rocketshift/plan"
)

// GroupPositions is what was translated and written for one group.
type GroupPositions struct {
	Group  string `json:"group"`
	Queues int    `json:"queues"`
	Exact  int    `json:"exact"`
}

// Members counts a group's connected clients on both sides.
type Members struct {
	Group  string   `json:"group"`
	Source int      `json:"source"`
	Target int      `json:"target"`
	Where  []string `json:"where,omitempty"` // addresses of those still on the side that they should leave, first 5
}

// WaveCheck is the evidence of a soak: everything of the wave stands where it should.
type WaveCheck struct {
	SourcePuts  int64     `json:"sourcePuts"` // messages that by-passing producers wrote on the side left, since the settle time began
	TargetPuts  int64     `json:"targetPuts"`
	Lag         int64     `json:"lag"`
	MembersLeft int       `json:"membersLeft"`
	Measured    time.Time `json:"measured"`
}

// WaveRequest is one wave to check.
type WaveRequest struct {
	Request
	Wave plan.Wave `json:"wave"`
}

// Traffic moves groups and producers.
type Traffic struct{ settings Settings }

// NewTraffic returns the activities of Shift.
func NewTraffic(s Settings) *Traffic { return &Traffic{s.withDefaults()} }

// Fence closes groups on a side.
func (t *Traffic) Fence(ctx context.Context, r GroupsRequest) error { panic("stub") }

// Unfence opens groups on a side.
func (t *Traffic) Unfence(ctx context.Context, r GroupsRequest) error { panic("stub") }

// AwaitSettled waits until the positions of fenced groups stand still.
func (t *Traffic) AwaitSettled(ctx context.Context, r GroupsRequest) error { panic("stub") }

// Translate writes the groups' positions on the other side.
func (t *Traffic) Translate(ctx context.Context, r GroupsRequest) ([]GroupPositions, error) {
	panic("stub")
}

// AwaitMembers waits until the groups' applications read on the other side.
func (t *Traffic) AwaitMembers(ctx context.Context, r AwaitMoveRequest) ([]Members, error) {
	panic("stub")
}

// CloseTopics makes topics read-only for producers on a side.
func (t *Traffic) CloseTopics(ctx context.Context, r TopicsRequest) error { panic("stub") }

// OpenTopics makes topics writable on a side.
func (t *Traffic) OpenTopics(ctx context.Context, r TopicsRequest) error { panic("stub") }

// AwaitQuiet waits until producers have left a side.
func (t *Traffic) AwaitQuiet(ctx context.Context, r AwaitMoveRequest) error { panic("stub") }

// CheckWave measures whether everything of a wave stands where it should.
func (t *Traffic) CheckWave(ctx context.Context, r WaveRequest) (WaveCheck, error) { panic("stub") }
