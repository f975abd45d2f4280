package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/interceptor"
	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"rocketshift/activities"
)

const (
	// lookEvery is how soon an activity learns that it must end. The activities of a workflow share
	// a look, and a look is no action.
	lookEvery = 2 * time.Second
	// answerTimeout bounds the answer to a cancellation: the server may be away for a moment.
	answerTimeout = time.Minute
	// urgentPause is the least time between two urgent heartbeats of an activity: lanes that wait
	// every few seconds cost little then.
	urgentPause = 30 * time.Second
)

// Why the watcher ends an activity. A paused one ends by activity.ErrActivityPaused, as when the
// SDK learns of it.
var (
	errCancelled  = errors.New("its workflow asks it to end")
	errSuperseded = errors.New("the server has given it up, or begun another attempt")
)

// promptHeartbeat is the longest time-out of heartbeats that tell an activity soon enough that it
// must end.
const promptHeartbeat = 15 * time.Second

// hearsLate picks activities that heartbeats don't tell, or tell late: those that wait for people.
func hearsLate(of activity.Info) bool {
	return of.HeartbeatTimeout <= 0 || of.HeartbeatTimeout > promptHeartbeat
}

// hasHeartbeat picks activities that have a heartbeat.
func hasHeartbeat(of activity.Info) bool { return of.HeartbeatTimeout > 0 }

// cancellationWatcher tells long activities promptly what the answer to a heartbeat would tell them
// later: that they are cancelled, paused, or given up. Heartbeats cost actions and are minutes
// apart; a look at a workflow costs none. The watcher also sends a heartbeat at once when its
// details must not wait for minutes, such as a fault.
type cancellationWatcher struct {
	interceptor.WorkerInterceptorBase
	server      server
	which       func(activity.Info) bool // activities that it looks after
	pause       time.Duration            // between looks
	urgentPause time.Duration            // between urgent heartbeats
	looks       looks
}

// server is what the watcher needs of Temporal.
type server interface {
	Pending(ctx context.Context, of workflow.Execution) ([]*workflowpb.PendingActivityInfo, error)
	// Cancelled tells that the activity has ended as it was asked to, and with what.
	Cancelled(ctx context.Context, token []byte, with any) error
	Beat(ctx context.Context, token []byte, details ...any) error
}

// urgent are details of heartbeats that must not wait if their Urgent text differs from that of the
// last ones sent.
type urgent interface{ Urgent() string }

// InterceptActivity is called once for each attempt.
func (w *cancellationWatcher) InterceptActivity(
	_ context.Context,
	next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	in := &watched{watch: w}
	in.Next = next
	return in
}

// watched is one attempt.
type watched struct {
	interceptor.ActivityInboundInterceptorBase
	watch *cancellationWatcher
}

// Init listens to what the activity tells.
func (a *watched) Init(next interceptor.ActivityOutboundInterceptor) error {
	listener := &urgentListener{watch: a.watch}
	listener.Next = next
	return a.Next.Init(listener)
}

// ExecuteActivity runs the activity until it ends, or must end.
func (a *watched) ExecuteActivity(ctx context.Context, in *interceptor.ExecuteActivityInput) (any, error) {
	info := activity.GetInfo(ctx)
	if !a.watch.which(info) {
		return a.Next.ExecuteActivity(ctx, in)
	}
	running, end := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	watching.Go(func() { a.watch.until(running, info, end) })
	result, err := a.Next.ExecuteActivity(running, in)
	cause := context.Cause(running)
	end(nil)
	watching.Wait()
	switch {
	case err == nil:
		return result, nil
	case errors.Is(cause, activity.ErrActivityPaused):
		return nil, temporal.NewApplicationErrorWithOptions(
			"it is paused: unpause the activity, and it goes on where it was", activities.NotReadyType,
			temporal.ApplicationErrorOptions{Category: temporal.ApplicationErrorCategoryBenign},
		)
	case !errors.Is(cause, errCancelled):
		return result, err
	}
	// The SDK takes a cancellation for a failure unless it has learnt of it itself. So this tells
	// the server.
	answering, cancel := context.WithTimeout(context.WithoutCancel(ctx), answerTimeout)
	defer cancel()
	if lost := a.watch.server.Cancelled(answering, info.TaskToken, result); lost != nil {
		return result, err
	}
	return nil, activity.ErrResultPending
}

// until looks at the workflow until the context ends, or the activity must end.
func (w *cancellationWatcher) until(ctx context.Context, info activity.Info, end context.CancelCauseFunc) {
	ticker := time.NewTicker(w.pause)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		pending, err := w.looks.at(
			info.WorkflowExecution,
			w.pause/2,
			func() ([]*workflowpb.PendingActivityInfo, error) {
				return w.server.Pending(ctx, info.WorkflowExecution)
			},
		)
		if err != nil {
			continue // heartbeats will show what is wrong
		}
		if cause := endCause(pending, info); cause != nil {
			end(cause)
			return
		}
	}
}

// endCause is why an attempt must end, or nil.
func endCause(pending []*workflowpb.PendingActivityInfo, info activity.Info) error {
	for _, p := range pending {
		switch {
		case p.GetActivityId() != info.ActivityID:
			continue
		case p.GetState() == enumspb.PENDING_ACTIVITY_STATE_CANCEL_REQUESTED:
			return errCancelled
		case p.GetAttempt() < info.Attempt:
			return nil // seen before the attempt began
		case p.GetAttempt() > info.Attempt:
			return errSuperseded
		case p.GetPaused():
			return activity.ErrActivityPaused
		}
		return nil
	}
	return errSuperseded
}

// looks remembers the last look at each workflow, so that many activities of one need one look.
type looks struct {
	mu   sync.Mutex
	last map[workflow.Execution]*look
}

type look struct {
	mu      sync.Mutex
	at      time.Time
	pending []*workflowpb.PendingActivityInfo
	err     error
}

// at is what was seen within the given time; if nothing was, it looks now.
func (l *looks) at(
	of workflow.Execution,
	within time.Duration,
	see func() ([]*workflowpb.PendingActivityInfo, error),
) ([]*workflowpb.PendingActivityInfo, error) {
	l.mu.Lock()
	if l.last == nil {
		l.last = map[workflow.Execution]*look{}
	}
	for name, old := range l.last { // workflows that nobody looks at any more
		if name != of && old.mu.TryLock() {
			if time.Since(old.at) > time.Minute {
				delete(l.last, name)
			}
			old.mu.Unlock()
		}
	}
	one := l.last[of]
	if one == nil {
		one = &look{}
		l.last[of] = one
	}
	l.mu.Unlock()
	one.mu.Lock()
	defer one.mu.Unlock()
	if time.Since(one.at) > within {
		one.pending, one.err = see()
		one.at = time.Now()
	}
	return one.pending, one.err
}

// urgentListener hears what an activity tells.
type urgentListener struct {
	interceptor.ActivityOutboundInterceptorBase
	watch *cancellationWatcher
	mu    sync.Mutex
	told  string
	at    time.Time
}

// RecordHeartbeat passes on what isn't urgent: the SDK sends it in its time.
func (l *urgentListener) RecordHeartbeat(ctx context.Context, details ...any) {
	l.Next.RecordHeartbeat(ctx, details...)
	if len(details) == 0 {
		return
	}
	now, may := details[0].(urgent)
	if !may {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	text := now.Urgent()
	if l.told == "" {
		l.told = text // the SDK sends the first one at once
	}
	if text == l.told || time.Since(l.at) < l.watch.urgentPause {
		return
	}
	l.at = time.Now()
	if l.watch.server.Beat(ctx, activity.GetInfo(ctx).TaskToken, details...) == nil {
		l.told = text
	}
}

// temporalServer is a server reached by a client.
type temporalServer struct{ client client.Client }

func (s temporalServer) Pending(ctx context.Context, of workflow.Execution) ([]*workflowpb.PendingActivityInfo, error) {
	d, err := s.client.DescribeWorkflowExecution(ctx, of.ID, of.RunID)
	if err != nil {
		return nil, fmt.Errorf("look at workflow %s: %w", of.ID, err)
	}
	return d.GetPendingActivities(), nil
}

func (s temporalServer) Cancelled(ctx context.Context, token []byte, with any) error {
	var details []any
	if with != nil {
		details = append(details, with)
	}
	return s.client.CompleteActivity(ctx, token, nil, temporal.NewCanceledError(details...))
}

func (s temporalServer) Beat(ctx context.Context, token []byte, details ...any) error {
	return s.client.RecordActivityHeartbeat(ctx, token, details...)
}
