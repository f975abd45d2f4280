package main

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/replicator/lane"
	"rocketshift/starter/remote"
)

// noLanes says why a migration has no lanes: Replicate hasn't begun. It is an error if there is no
// such migration either.
func (a *app) noLanes(ctx context.Context, s remote.Service, name string) (why string, err error) {
	snap, err := a.look(ctx, s, plan.WorkflowID(name))
	if err != nil {
		return "", err
	}
	if !snap.Running {
		return fmt.Sprintf("no lane of %s has run: %s has ended (%s)", name, snap.WorkflowID,
			snap.State), nil
	}
	return fmt.Sprintf("no lane of %s runs yet: %s begins after %s, and %s is at %s (%s); "+
		"rocketshift status %s says what it waits for",
		name, api.ReplicateType, api.ImportMetadataType, snap.WorkflowID, snap.Stage,
		snap.State, name), nil
}

// showNoLanes says so. It is no failure: lanes come in their time.
func (a *app) showNoLanes(ctx context.Context, s remote.Service, name string) error {
	why, err := a.noLanes(ctx, s, name)
	if err != nil {
		return err
	}
	if a.json() {
		a.document(lanesView{
			WorkflowID: api.StageID(plan.Plan{Name: name}, api.ReplicateType),
			Topics:     []lane.TopicProgress{}, Waiting: []string{why},
		})
		return nil
	}
	a.say("%s", why)
	return nil
}
