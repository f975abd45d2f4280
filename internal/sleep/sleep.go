// Package sleep waits for some time, or until a context ends.
package sleep

import (
	"context"
	"time"
)

// For pauses, and ends early when the context does.
func For(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
