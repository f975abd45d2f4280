package main

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/interceptor"
)

// heartbeats sends heartbeats for every activity that has a heartbeat timeout, whatever the
// activity does meanwhile. So a killed worker is noticed within that time, and groups that are
// fenced just then don't wait for minutes. It repeats the last details of the activity, or of its
// attempt before, so that none are lost.
type heartbeats struct {
	interceptor.WorkerInterceptorBase
}

// InterceptActivity is called once for each attempt.
func (p *heartbeats) InterceptActivity(
	_ context.Context,
	next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	b := &attemptHeartbeats{}
	b.Next = next
	return b
}

// attemptHeartbeats sends the heartbeats of one attempt.
type attemptHeartbeats struct {
	interceptor.ActivityInboundInterceptorBase
	mu   sync.Mutex // serializes details, so that an older one never replaces a newer one
	last []any
	send interceptor.ActivityOutboundInterceptor
}

// Init puts the listener between the activity and the SDK.
func (b *attemptHeartbeats) Init(next interceptor.ActivityOutboundInterceptor) error {
	b.send = next
	listener := &beatListener{beats: b}
	listener.Next = next
	return b.Next.Init(listener)
}

// ExecuteActivity sends heartbeats as long as the activity runs.
func (b *attemptHeartbeats) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	timeout := activity.GetInfo(ctx).HeartbeatTimeout
	if timeout <= 0 {
		return b.Next.ExecuteActivity(ctx, in)
	}
	b.resume(ctx)
	done := make(chan struct{})
	var beating sync.WaitGroup
	beating.Go(func() {
		ticker := time.NewTicker(timeout / 3) // one late heartbeat must not look like the end of the worker
		defer ticker.Stop()
		for {
			select {
			case <-done:
				return
			case <-ctx.Done():
				return
			case <-ticker.C:
				b.repeat(ctx)
			}
		}
	})
	defer beating.Wait()
	defer close(done)
	return b.Next.ExecuteActivity(ctx, in)
}

// resume takes over what the attempt before told.
func (b *attemptHeartbeats) resume(ctx context.Context) {
	var details converter.RawValue
	if activity.HasHeartbeatDetails(ctx) && activity.GetHeartbeatDetails(ctx, &details) == nil {
		b.last = []any{details}
	}
}

func (b *attemptHeartbeats) repeat(ctx context.Context) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.send.RecordHeartbeat(ctx, b.last...)
}

// beatListener hears what the activity itself tells.
type beatListener struct {
	interceptor.ActivityOutboundInterceptorBase
	beats *attemptHeartbeats
}

// RecordHeartbeat remembers the details.
func (l *beatListener) RecordHeartbeat(ctx context.Context, details ...any) {
	l.beats.mu.Lock()
	defer l.beats.mu.Unlock()
	l.beats.last = details
	l.Next.RecordHeartbeat(ctx, details...)
}
