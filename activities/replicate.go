package activities

import (
	"context"
	"sync"

	"go.temporal.io/sdk/activity"

	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
	"rocketshift/replicator"
)

// batchBytes bounds one batch to the target: brokers take 4 MiB, and answer busy more often the larger batches are.
const batchBytes = 1 << 20

// ReplicateRequest is the forward lanes of one source broker.
type ReplicateRequest struct {
	Request
	Broker string `json:"broker"`
}

// ReplicationProgress is the heartbeat and the result of a Replicate activity.
type ReplicationProgress struct {
	Broker string `json:"broker"`
	// Holder names the attempt that holds the lanes' locks.
	Holder string `json:"holder,omitempty"`
	replicator.Progress
}

// Replication runs and measures lanes.
type Replication struct{ settings Settings }

// NewReplication returns the activities of Replicate.
func NewReplication(s Settings) *Replication { return &Replication{s.withDefaults()} }

// Replicate runs the forward lanes of one source broker until it is cancelled or its worker stops. Where a lane goes on is
// read from the target, so an attempt needs nothing from the one before but the name that holds its locks.
func (r *Replication) Replicate(ctx context.Context, q ReplicateRequest) (ReplicationProgress, error) {
	var last ReplicationProgress
	if activity.HasHeartbeatDetails(ctx) {
		// Details that can't be read name no holder: the lanes then wait until the old locks lapse.
		_ = activity.GetHeartbeatDetails(ctx, &last)
	}
	b := &beater{progress: ReplicationProgress{Broker: q.Broker, Holder: holderAfter(last.Holder), Progress: last.Progress}}
	stop := b.start(ctx)
	defer stop()
	p := q.Plan.WithDefaults()
	both, err := r.settings.both(ctx, p)
	if err != nil {
		return b.read(), err
	}
	lanes, err := both.lanesFrom(ctx, q.Broker)
	if err != nil {
		return b.read(), err
	}
	if err := both.ensureLaneGroup(ctx); err != nil {
		return b.read(), err
	}
	err = both.run(ctx, lanes, b)
	return b.read(), err
}

// run copies until the context ends; the lanes checkpoint before it returns.
func (s sides) run(ctx context.Context, lanes []replicator.Lane, b *beater) error {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
			cancel()
		case <-running.Done():
		}
	}()
	copier := replicator.NewReplicator(s.source.Cluster, s.target.Cluster, replicator.Options{
		Names: laneNames(s.plan), Holder: b.read().Holder, BatchMessages: s.plan.Replicate.BatchMessages, BatchBytes: batchBytes,
	})
	err := copier.Run(running, lanes, b.report)
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case running.Err() != nil:
		return stopping()
	}
	return err
}

// lanesFrom are the lanes of all selected topics whose source queue is on the broker.
func (s sides) lanesFrom(ctx context.Context, broker string) ([]replicator.Lane, error) {
	l, err := s.layout(ctx)
	if err != nil {
		return nil, err
	}
	all, err := l.allLanes(l.sourceTopics.selected(s.plan, l.sourceBrokers))
	if err != nil {
		return nil, err
	}
	var here []replicator.Lane
	for _, lane := range all {
		if lane.Source.Broker == broker {
			here = append(here, lane)
		}
	}
	return here, nil
}

// ensureLaneGroup creates the lanes' consumer group where it isn't created by itself. Who may not create groups relies on the
// brokers, or on the person who granted the rights, to have it there: a pull says so if not.
func (s sides) ensureLaneGroup(ctx context.Context) error {
	for _, c := range []*cluster{s.source, s.target} {
		brokers, err := c.brokers(ctx)
		if err != nil {
			return err
		}
		table, err := c.groupTable(ctx, brokers)
		if err != nil {
			return err
		}
		for _, b := range brokers {
			if _, there := table[s.plan.LaneGroup()][b.Name]; there {
				continue
			}
			if err := c.Client().PutGroup(ctx, b.Addr, laneGroup(s.plan)); err != nil && !denied(err) {
				return c.explain(ctx, err)
			}
		}
	}
	return nil
}

// laneGroup has the settings that brokers give a group which they create by themselves.
func laneGroup(p plan.Plan) rocketmq.Group {
	return rocketmq.Group{
		Name: p.LaneGroup(), ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true,
		RetryQueues: 1, RetryMaxTimes: 16, WhichBrokerWhenSlow: 1, NotifyChanged: true,
	}
}

// beater keeps the latest progress and beats with it, also while nothing moves.
type beater struct {
	mu       sync.Mutex
	progress ReplicationProgress
}

func (b *beater) report(p replicator.Progress) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Progress = p
}

func (b *beater) read() ReplicationProgress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.progress
}

func (b *beater) start(ctx context.Context) (stop func()) {
	return beating(ctx, func() any { return b.read() })
}
