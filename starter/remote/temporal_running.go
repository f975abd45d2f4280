package remote

import (
	"context"
	"errors"

	"go.temporal.io/api/serviceerror"
)

// Running are those of the workflows that run.
func (t *temporalService) Running(ctx context.Context, ids []string) ([]string, error) {
	var running []string
	for _, id := range ids {
		described, err := t.client.DescribeWorkflowExecution(ctx, id, "")
		var missing *serviceerror.NotFound
		switch {
		case errors.As(err, &missing):
		case err != nil:
			return nil, t.explain("describe "+id, err)
		case isRunning(described):
			running = append(running, id)
		}
	}
	return running, nil
}
