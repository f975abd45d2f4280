package remoting

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v4"
)

const (
	// retryFirst is the first pause: a busy broker clears its queue in about 200 ms.
	retryFirst = 100 * time.Millisecond
	// retryMax caps the pause, so that a broker that returns is noticed soon.
	retryMax = 3 * time.Second
	// retryTotal bounds the retries of one call. A caller that may wait for days repeats the call
	// itself, and says what it waits for.
	retryTotal = 15 * time.Second
)

// Retry repeats op while its error is Retryable, with growing pauses, for 15 s at most or until ctx
// ends. Safe for writes.
func Retry(ctx context.Context, op func() error) error {
	return retry(ctx, op, Retryable)
}

// RetryRead repeats op also after a lost answer: reading twice does no harm.
func RetryRead(ctx context.Context, op func() error) error {
	return retry(ctx, op, func(err error) bool { return Retryable(err) || Ambiguous(err) })
}

func retry(ctx context.Context, op func() error, again func(error) bool) error {
	policy := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(
			retryFirst,
		),
		backoff.WithMaxInterval(retryMax),
		backoff.WithMaxElapsedTime(retryTotal),
	)
	return backoff.Retry(func() error {
		err := op()
		if err != nil && (ctx.Err() != nil || !again(err)) {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(policy, ctx))
}
