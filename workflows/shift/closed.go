package shift

import (
	"fmt"

	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
	"rocketshift/api"
	"rocketshift/workflows/call"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
)

// MostClosed is how many of them the steps name in all: the status, and the input of Rollback, have
// to fit in a payload.
const MostClosed = 100

// mostClosedBefore is how many each step of older runs names.
const mostClosedBefore = 200

// keepClosed remembers which groups of a step others had closed before anything is fenced: Rollback
// leaves them closed.
func (s *shift) keepClosed(ctx workflow.Context, groups []string) error {
	groups = lists.Without(groups, s.row.Closed.Named)
	if s.Bounded {
		room := MostClosed
		for _, w := range s.Status.Waves {
			room -= len(w.Closed.Named)
		}
		if len(groups) <= room {
			s.row.Closed.Named = append(s.row.Closed.Named, groups...)
			return nil
		}
	}
	if !s.Bounded || !change.Made(ctx, change.ClosedKept) {
		room := max(0, mostClosedBefore-len(s.row.Closed.Named))
		s.row.Closed.Named = append(s.row.Closed.Named, groups[:min(len(groups), room)]...)
		return nil
	}
	var acts *activities.Assess
	var kept api.Names
	request := activities.NamesRequest{Request: s.Request(), Names: api.Some(groups...)}
	summary := fmt.Sprintf("keep the names of %d groups that others closed", len(groups))
	if err := workflow.ExecuteActivity(call.Quick(ctx, summary), acts.KeepNames,
		request).Get(ctx, &kept); err != nil {
		return err
	}
	s.row.Closed.In = append(s.row.Closed.In, kept)
	return nil
}
