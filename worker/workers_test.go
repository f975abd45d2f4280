package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"google.golang.org/protobuf/types/known/timestamppb"

	"rocketshift/plan"
)

func TestWorkersAreCountedWhileTheyAskForWork(t *testing.T) {
	now := time.Now()
	asked := func(name string, ago time.Duration) *taskqueuepb.PollerInfo {
		return &taskqueuepb.PollerInfo{Identity: name, LastAccessTime: timestamppb.New(now.Add(-ago))}
	}
	r := workerCount{self: "me", seen: map[string]bool{}}
	for _, step := range []struct {
		seen    []*taskqueuepb.PollerInfo
		workers int
		joined  bool
	}{
		{nil, 1, false},
		{[]*taskqueuepb.PollerInfo{asked("me", 0), asked("a", time.Minute)}, 2, true},
		{[]*taskqueuepb.PollerInfo{asked("me", 0), asked("a", time.Minute), asked("dead", 2*time.Minute)}, 2, false},
		{[]*taskqueuepb.PollerInfo{asked("a", 2*time.Minute), asked("b", 0)}, 2, true},
		{[]*taskqueuepb.PollerInfo{asked("a", 0), asked("b", 0)}, 3, false},
	} {
		workers, joined := r.count(step.seen, now)
		assert.Equal(t, step.workers, workers, "%v", step.seen)
		assert.Equal(t, step.joined, joined, "%v", step.seen)
	}
}

func TestByDefaultAShardBeatsEveryEightMinutes(t *testing.T) {
	// The SDK sends a heartbeat after 0.8 of the timeout, unless the worker's own limit is shorter.
	timeout := time.Duration(plan.Plan{}.WithDefaults().Replicate.Heartbeat)
	assert.GreaterOrEqual(t, min(timeout*8/10, heartbeatThrottle), 8*time.Minute)
}
