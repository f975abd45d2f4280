package main

import (
	"context"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// copyByReplicator is rocketshift's own way, for the ratios: it alone keeps the order of a queue,
// and repeats nothing.
func copyByReplicator(ctx context.Context, j job, _ func(error)) error {
	client := rocketmq.NewClient(rocketmq.Options{})
	defer client.Close()
	source, target := rocketmq.NewCluster(client, j.Source), rocketmq.NewCluster(client, j.Target)
	lanes, err := replica.LanesOf(ctx, source, target, j.Topic)
	if err != nil {
		return err
	}
	names := replica.Names{Group: j.Group, Source: "source", Target: "target"}
	r := replicator.NewReplicator(source, target, replicator.Options{Names: names, Holder: "bench"})
	return r.Run(ctx, lanes, func(lane.Progress) {})
}
