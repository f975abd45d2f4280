package replicator_test

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/verify"
)

// clusters are a source and a target.
func clusters() (source, target *rocketmq.Cluster) {
	source = rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), []string{"10.0.0.1:9876"})
	target = rocketmq.NewCluster(rocketmq.NewClient(rocketmq.Options{}), []string{"10.0.9.1:9876"})
	return source, target
}

// Lanes copy until they are told to stop. The next run goes on where this one stopped.
func Example() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	source, target := clusters()
	lanes, err := replica.LanesOf(ctx, source, target, "orders")
	if err != nil {
		fmt.Println(err) // such as another number of queues on the target
		return
	}
	names := replica.Names{Group: "rocketshift-example", Source: "old", Target: "new"}
	copying := replicator.NewReplicator(source, target, replicator.Options{Names: names, Holder: "this process"})
	err = copying.Run(ctx, lanes, func(p lane.Progress) { fmt.Println(p.Copied, p.Lag, p.Faults) })
	fmt.Println(err)
}

// A position of a group on the source becomes the one on the target, where the group goes on with
// the same message.
func Example_positions() {
	ctx := context.Background()
	source, target := clusters()
	names := replica.Names{Group: "rocketshift-example", Source: "old", Target: "new"}
	lanes, err := replica.LanesOf(ctx, source, target, "orders")
	if err != nil {
		fmt.Println(err)
		return
	}
	there, err := positions.New(source, target, names).Forward(ctx, lanes[0], 4711)
	fmt.Println(there.Target, there.Exact, err)
}

// A lane's two queues are compared by content.
func Example_verify() {
	ctx := context.Background()
	source, target := clusters()
	names := replica.Names{Group: "rocketshift-example", Source: "old", Target: "new"}
	one := lane.Lane{Topic: "orders", Source: lane.Queue{Broker: "broker-a"}, Target: lane.Queue{Broker: "broker-a"}}
	report, err := verify.Lane(ctx, source, target, one, verify.Options{Names: names}, nil)
	fmt.Println(report.Compared, report.Missing, report.Altered, err)
}
