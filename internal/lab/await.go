package lab

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// pollEvery is short compared with the seconds that servers need to start, and long compared with
// the cost of a look.
const pollEvery = 50 * time.Millisecond

// await repeats check until it returns nil, returns a backoff.Permanent error, or the context ends;
// then the error is the last one that check returned.
func await(ctx context.Context, check func() error) error {
	var last error
	err := backoff.Retry(func() error {
		last = check()
		return last
	}, backoff.WithContext(backoff.NewConstantBackOff(pollEvery), ctx))
	if err == nil || last == nil {
		return err
	}
	if ended := ctx.Err(); ended != nil && !errors.Is(last, ended) {
		return fmt.Errorf("%w (%w)", last, ended)
	}
	var permanent *backoff.PermanentError
	if errors.As(last, &permanent) {
		return permanent.Err
	}
	return last
}
