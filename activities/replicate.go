package activities

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/lockowner"
	"rocketshift/internal/shards"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
)

// batchBytes bounds one batch to the target: brokers take 4 MiB, and answer busy more often the
// larger batches are.
const batchBytes = 1 << 20

// ReplicateRequest is a shard: the lanes of one source broker, or a part of them, and their reverse
// lanes.
type ReplicateRequest struct {
	Request
	Broker string `json:"broker"`
	// Answers and Rates are what persons decided so far, in their order. Rates are shared evenly
	// among the brokers' lanes.
	Answers []api.LaneAnswer `json:"answers,omitempty"`
	Rates   []api.RateChange `json:"rates,omitempty"`
	// Earlier are the answers before them, of all lanes, where they were too many.
	Earlier api.List[api.LaneAnswer] `json:"earlierAnswers,omitzero"`
	// Part and Parts pick the broker's lanes: the shard with number Part, of Parts.
	Part  int `json:"part,omitempty"`
	Parts int `json:"parts,omitempty"`
	// Shards is how many such activities there are.
	Shards int `json:"shards,omitempty"`
	// Copied is what the shard has copied before, as far as the workflow knows.
	Copied api.Copied `json:"copied,omitzero"`
}

// Replication runs and measures lanes.
type Replication struct {
	settings Settings
	copied   shards.Tally
}

// NewReplication returns the activities of Replicate.
func NewReplication(s Settings) *Replication { return &Replication{settings: s.withDefaults()} }

// Replicate runs the lanes of one source broker, both ways, until it is cancelled or its worker
// stops. Where a lane goes on is read from the target, so an attempt needs nothing from the one
// before but the name that holds its locks.
func (r *Replication) Replicate(ctx context.Context, q ReplicateRequest) (_ api.ReplicationProgress, err error) {
	defer explained(&err)
	var last api.ReplicationProgress
	if activity.HasHeartbeatDetails(ctx) {
		// Details that can't be read name no holder: the lanes then wait until the old locks lapse.
		_ = activity.GetHeartbeatDetails(ctx, &last)
	}
	mine, taken := r.settings.Shares.Take(q.Plan.Name, q.Shards,
		last.Offers > 0 || activity.GetInfo(ctx).Attempt == 1, last.Offers)
	if !taken {
		last.Offers++
		return last, offered(ctx, last)
	}
	defer r.settings.Shares.Leave(mine)
	of := shards.LanesOf{Migration: q.Plan.Name, Broker: q.Broker, Part: q.Part}
	defer r.settings.Observed.Forget(of)
	b := &shards.Running{
		Offered: mine.Offered, Most: shards.MostTold(q.Shards),
		Observe: func(p lane.Progress) { r.settings.Observed.Put(of, p) },
		Counter: r.copied.Begin(of, q.Copied, last.Progress),
	}
	b.Begin(q.Broker, lockowner.After(last.Holder), last.Progress)
	stop := beating(ctx, func() any { return b.Read() })
	defer stop()
	p := q.Plan.WithDefaults()
	both, err := r.settings.clusters().Both(ctx, p)
	if err != nil {
		return b.Read(), err
	}
	if err := measure.EnsureCanary(ctx, both); err != nil {
		return b.Read(), err
	}
	l, err := both.Layout(ctx)
	if err != nil {
		return b.Read(), err
	}
	var gone string
	if q.Answers, gone, err = r.settings.answers(ctx, q.Earlier, q.Answers); err != nil {
		return b.Read(), err
	}
	b.Lost(gone)
	lanes, unpaired := lanesFrom(ctx, both, l, q)
	b.Unpaired(unpaired)
	if err := measure.EnsureLaneGroups(ctx, both); err != nil {
		return b.Read(), err
	}
	var follower *metadata.Follower // one of the shards follows for all
	if q.Part == 0 && len(l.SourceBrokers) > 0 && q.Broker == l.SourceBrokers[0].Name {
		follower = metadata.NewFollower(both, l)
	}
	err = runLanes(ctx, both, q, lanes, b, func(ctx context.Context, copier *replicator.Replicator) {
		lookForTopics(ctx, both, q, r.settings.Look, follower, copier, b)
	})
	return b.End(), err
}

// runLanes copies until the context ends, and does so beside it; the lanes checkpoint before it
// returns.
func runLanes(
	ctx context.Context, s clusters.Both,
	q ReplicateRequest,
	lanes []lane.Lane,
	b *shards.Running,
	beside func(context.Context, *replicator.Replicator),
) error {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
		case <-b.Offered:
		case <-running.Done():
		}
		cancel()
	}()
	copier := replicator.NewReplicator(s.Source.Cluster, s.Target.Cluster, q.steered(replicator.Options{
		Names: clusters.LaneNames(s.Plan), Holder: b.Read().Holder, BatchMessages: s.Plan.Replicate.BatchMessages,
		BatchBytes: batchBytes, ExactBorn: s.Plan.Replicate.ExactBorn, BothWays: !s.Plan.Replicate.OneWay,
	}))
	q.setRates(copier)
	var looking sync.WaitGroup
	looking.Go(func() { beside(running, copier) })
	err := copier.Run(running, lanes, b.Report)
	cancel()
	looking.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	select {
	case <-b.Offered:
		return offered(ctx, b.Offer())
	default:
		return stopping()
	}
}

// lanesFrom are the lanes of the shard, of all selected topics and of the selected groups' own. A
// topic that can't be paired keeps no other one waiting.
func lanesFrom(
	ctx context.Context,
	s clusters.Both,
	l clusters.Layout,
	q ReplicateRequest,
) (here []lane.Lane, unpaired []string) {
	if err := metadata.EnsureGroupTopics(ctx, s, l); err != nil {
		unpaired = append(unpaired, err.Error())
	}
	selected := l.SourceTopics.Selected(s.Plan, l.SourceBrokers)
	for _, topic := range slices.Concat(selected, l.SourceTopics.OfGroups(s.Plan), l.Canaries(s.Plan)) {
		lanes, err := l.Lanes(topic)
		if err != nil {
			unpaired = append(unpaired, err.Error())
		}
		for _, lane := range lanes {
			if lane.Source.Broker == q.Broker && shards.PartOf(lane, max(q.Parts, 1)) == q.Part {
				here = append(here, lane)
			}
		}
	}
	return here, unpaired
}

// defaultLook is how soon lanes of a new topic start.
const defaultLook = 30 * time.Second

// settleLook is how soon it is looked again for a topic that may be in the middle of being created.
const settleLook = time.Second

// driftLooks is of how many looks one compares groups too: what changes there can wait a minute, and
// 10,000 groups of both sides take a second to read.
const driftLooks = 2

// lookForTopics starts lanes for topics and queues that the source got, and brings them to the
// target first.
func lookForTopics(
	ctx context.Context, s clusters.Both,
	q ReplicateRequest,
	look time.Duration,
	f *metadata.Follower,
	copier *replicator.Replicator,
	b *shards.Running,
) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	var drifted []string
	for looks := 0; ; looks++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		l, err := s.Layout(ctx)
		if err != nil {
			continue // a side is away: the lanes say so
		}
		if looks%driftLooks == 0 {
			if told, err := f.Drift(ctx, l); err == nil {
				drifted = told
			}
		}
		hindrances := append(f.Follow(ctx, l), drifted...)
		if f.Unsettled() {
			tick.Reset(min(look, settleLook))
		} else {
			tick.Reset(look)
		}
		if l, err = s.Layout(ctx); err != nil {
			continue
		}
		lanes, unpaired := lanesFrom(ctx, s, l, q)
		unpaired = append(hindrances, unpaired...)
		left, _ := copier.Add(lanes) // it may have ended meanwhile
		for _, lane := range left {
			unpaired = append(
				unpaired,
				fmt.Sprintf(
					"%s: the topic's queues changed, and one of these has another lane: messages of new "+
						"queues wait until Replicate is started again",
					lane,
				),
			)
		}
		b.Unpaired(unpaired)
	}
}

// offered leaves the shard to another worker.
func offered(ctx context.Context, p api.ReplicationProgress) error {
	activity.RecordHeartbeat(ctx, p)
	return fault.Again(fault.KindNotReady, offerPause, nil, "this worker leaves the lanes to one that has fewer")
}

// offerPause is long enough for another worker to be the first to ask.
const offerPause = 200 * time.Millisecond
