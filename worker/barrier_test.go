package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/interceptor"
)

// asWorker makes this test binary a worker whose activities stop at the barriers of that folder.
const asWorker = "ROCKETSHIFT_TEST_WORKER"

// workForTest runs a worker until a signal.
func workForTest(dir string) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	logger := slog.New(slog.NewTextHandler(os.Stderr, nil)) // which the test that started it reads
	if err := run(ctx, logger, os.Stdout, os.Getenv, &barriers{dir: dir}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// barrier is a file: while it is there, activities of one type and one workflow wait before they
// begin. So a test has all the time it wants in the middle of a stage.
type barrier string

func barrierOf(dir, workflowID, activityType string) barrier {
	return barrier(filepath.Join(dir, workflowID+"."+activityType))
}

func (b barrier) close() error { return os.WriteFile(string(b), nil, 0o644) }

func (b barrier) open() error { return os.RemoveAll(string(b)) }

func (b barrier) isClosed() bool {
	_, err := os.Stat(string(b))
	return err == nil
}

// reached is there as soon as an activity has waited.
func (b barrier) reached() barrier { return b + ".reached" }

// barriers let activities of a worker wait at them.
type barriers struct {
	interceptor.WorkerInterceptorBase
	dir string
}

// InterceptActivity is called once for each attempt.
func (b *barriers) InterceptActivity(
	_ context.Context, next interceptor.ActivityInboundInterceptor,
) interceptor.ActivityInboundInterceptor {
	g := &guarded{dir: b.dir}
	g.Next = next
	return g
}

type guarded struct {
	interceptor.ActivityInboundInterceptorBase
	dir string
}

// barrierLook is how soon a barrier that opens is noticed.
const barrierLook = 20 * time.Millisecond

// ExecuteActivity waits at the activity's barrier, if it has one, and ends when it is cancelled
// there.
func (g *guarded) ExecuteActivity(
	ctx context.Context, in *interceptor.ExecuteActivityInput,
) (any, error) {
	info := activity.GetInfo(ctx)
	b := barrierOf(g.dir, info.WorkflowExecution.ID, info.ActivityType.Name)
	if b.isClosed() {
		_ = b.reached().close() // the test waits for it
	}
	for b.isClosed() {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(barrierLook):
		}
	}
	return g.Next.ExecuteActivity(ctx, in)
}
