package activities

import (
	"context"
)

// Survey is what Rollback must undo, read from the brokers.
type Survey struct {
	FencedGroups []string `json:"fencedGroups,omitempty"` // fenced on the source
	MovedTopics  []string `json:"movedTopics,omitempty"`  // topics with natives on the target
}

// Returns prepares the way back.
type Returns struct{ settings Settings }

// NewReturns returns the activities of Rollback.
func NewReturns(s Settings) *Returns { return &Returns{s.withDefaults()} }

// Survey reads from the brokers what Rollback must undo.
func (b *Returns) Survey(ctx context.Context, r Request) (Survey, error) { panic("stub") }

// AwaitNativesRead waits until the groups have read every native on the target.
func (b *Returns) AwaitNativesRead(ctx context.Context, r GroupsRequest) error { panic("stub") }
