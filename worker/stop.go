package main

import (
	"log/slog"
	"sync"
	"time"
)

const (
	// stopTimeout is how long the activities of a role may take to checkpoint when the worker is
	// asked to end: lanes take a second or two. Afterwards their contexts end.
	stopTimeout = 15 * time.Second
	// stopBound is when the process ends whatever still runs. It is less than what Kubernetes waits
	// before it kills a pod (30 s), so that connections to Temporal and to brokers are closed in
	// order.
	stopBound = 20 * time.Second
)

// stopper is what stopAll needs of a worker.
type stopper interface{ Stop() }

// stopAll stops all roles at the same time, and returns when they have stopped or the time is up.
func stopAll[W stopper](logger *slog.Logger, roles []W, bound time.Duration) {
	var stopping sync.WaitGroup
	for _, role := range roles {
		stopping.Go(role.Stop)
	}
	stopped := make(chan struct{})
	go func() {
		stopping.Wait()
		close(stopped)
	}()
	select {
	case <-stopped:
	case <-time.After(bound):
		logger.Warn("activities haven't ended in time: Temporal tries them again on another worker "+
			"when it misses their heartbeats",
			"after", bound)
	}
}
