package main

import (
	"context"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	taskqueuepb "go.temporal.io/api/taskqueue/v1"
	"go.temporal.io/sdk/client"

	"rocketshift/api"
	"rocketshift/internal/shards"
)

const (
	// countEvery is how soon a new worker is counted. A look costs no action.
	countEvery = 5 * time.Second
	// silentFor is after how long a silent worker isn't counted: a live one asks for work once a
	// minute.
	silentFor = 90 * time.Second
)

// watchWorkers tells the shares how many workers there are, until the context ends.
func watchWorkers(
	ctx context.Context,
	logger *slog.Logger,
	c client.Client,
	options client.Options,
	shares *shards.Shares,
) {
	ticker := time.NewTicker(countEvery)
	defer ticker.Stop()
	known := workerCount{self: options.Identity, seen: map[string]bool{}}
	for failed := false; ; {
		d, err := c.DescribeTaskQueue(ctx, api.DataTaskQueue, enumspb.TASK_QUEUE_TYPE_ACTIVITY)
		switch {
		case err == nil:
			shares.Set(known.count(d.GetPollers(), time.Now()))
		case ctx.Err() == nil && !failed:
			logger.Warn("the other workers can't be counted: shards of lanes are not spread when one joins",
				"error", err)
		}
		failed = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// workerCount is the workers that were seen so far.
type workerCount struct {
	self string
	seen map[string]bool
}

// count counts the workers, this one included, and reports whether any is new.
func (r *workerCount) count(pollers []*taskqueuepb.PollerInfo, now time.Time) (workers int, joined bool) {
	workers = 1
	for _, p := range pollers {
		if p.GetIdentity() == r.self || now.Sub(p.GetLastAccessTime().AsTime()) > silentFor {
			continue
		}
		workers++
		joined = joined || !r.seen[p.GetIdentity()]
		r.seen[p.GetIdentity()] = true
	}
	return workers, joined
}
