package activities

import (
	"context"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters/consumers"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
)

// ReturnRequest names groups that are to go back to the source.
type ReturnRequest struct {
	GroupsRequest
	// Free are topics whose order needn't survive the move.
	Free api.Names `json:"free,omitzero"`
	// Away is as in AwaitMoveRequest.
	Away time.Duration `json:"away,omitempty"`
}

// AwaitReturnable waits until the groups can go back at exactly the next message. On the source,
// messages that producers wrote on the target may lie behind newer ones, written there since: of
// topics that aren't free (retries always are), groups read them on the target first. Where lanes
// go one way, groups must read every native on the target, of all topics: none is on the source.
func (b *Returns) AwaitReturnable(ctx context.Context, r ReturnRequest) (err error) {
	defer explained(&err)
	return unlessAway(ctx, r.Away, func() error { return b.awaitReturnable(ctx, r) })
}

func (b *Returns) awaitReturnable(ctx context.Context, r ReturnRequest) error {
	both, err := b.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return err
	}
	groups, err := b.settings.groups(ctx, r.GroupsRequest)
	if err != nil {
		return err
	}
	// The way back never waits for the store: without the list no topic is free, which takes
	// longer.
	free, err := lists.Resolve(ctx, b.settings.Store, r.Free)
	if err != nil {
		free = nil
	}
	return poll(ctx, func() error {
		open, err := consumers.Hindrances(ctx, both, groups, free)
		if err != nil {
			return err
		}
		if len(open) > 0 {
			return fault.NotReady("%d of %d groups can't go back yet: %s", len(open), len(groups), printable.Few(open))
		}
		return nil
	})
}
