package workflows

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

// mostClosed is how many of them the steps name in all: the status, and the input of Rollback, have
// to fit in a payload.
const mostClosed = 100

// keepClosed remembers which groups of a step others had closed before anything is fenced: Rollback
// leaves them closed.
func (s *shift) keepClosed(ctx workflow.Context, groups []string) error {
	groups = without(groups, s.row.Closed.Named)
	room := mostClosed
	if s.bounded {
		for _, w := range s.status.Waves {
			room -= len(w.Closed.Named)
		}
	} else {
		room -= len(s.row.Closed.Named)
	}
	if len(groups) <= room {
		s.row.Closed.Named = append(s.row.Closed.Named, groups...)
		return nil
	}
	if !s.bounded || !changed(ctx, changeClosedKept) {
		s.row.Closed.Named = append(s.row.Closed.Named, groups[:max(0, room)]...)
		return nil
	}
	var acts *activities.Assess
	var kept activities.Names
	request := activities.NamesRequest{Request: s.request(), Names: activities.Some(groups...)}
	summary := fmt.Sprintf("keep the names of %d groups that others closed", len(groups))
	if err := workflow.ExecuteActivity(quick(ctx, summary), acts.KeepNames,
		request).Get(ctx, &kept); err != nil {
		return err
	}
	s.row.Closed.In = append(s.row.Closed.In, kept)
	return nil
}
