package main

import (
	"context"
	"errors"
	"fmt"

	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/activity"

	"rocketshift/activities"
)

// stillWanted asks the server at once whether the activity of a context is still wanted. A worker
// that may not read workflows relies on heartbeats.
func stillWanted(server server) func(context.Context) error {
	return func(ctx context.Context) error {
		info := activity.GetInfo(ctx)
		pending, err := server.Pending(ctx, info.WorkflowExecution)
		var denied *serviceerror.PermissionDenied
		switch {
		case errors.As(err, &denied):
			return nil
		case err != nil:
			return err
		}
		if cause := endCause(pending, info); cause != nil {
			return fmt.Errorf("%w: %w", activities.ErrUnwanted, cause)
		}
		return nil
	}
}
