package activities

import (
	"context"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/measure"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/lockowner"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/shards"
	"rocketshift/plan"
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
	b := &beater{
		offered: mine.Offered, most: shards.MostTold(q.Shards),
		observe: func(p lane.Progress) { r.settings.Observed.Put(of, p) },
		counter: r.copied.Begin(of, q.Copied, last.Progress),
	}
	b.progress = api.ReplicationProgress{
		Broker: q.Broker, Holder: lockowner.After(last.Holder),
		Progress: b.bounded(b.counter.Begun(last.Progress)),
	}
	stop := b.start(ctx)
	defer stop()
	p := q.Plan.WithDefaults()
	both, err := r.settings.clusters().Both(ctx, p)
	if err != nil {
		return b.read(), err
	}
	if err := measure.EnsureCanary(ctx, both); err != nil {
		return b.read(), err
	}
	l, err := both.Layout(ctx)
	if err != nil {
		return b.read(), err
	}
	if q.Answers, err = lists.AnswersOf(ctx, r.settings.Store, q.Earlier, q.Answers); err != nil {
		return b.read(), err
	}
	lanes, unpaired := lanesFrom(ctx, both, l, q)
	b.unpaired(unpaired)
	if err := ensureLaneGroups(ctx, both); err != nil {
		return b.read(), err
	}
	var follower *metadata.Follower // one of the shards follows for all
	if q.Part == 0 && len(l.SourceBrokers) > 0 && q.Broker == l.SourceBrokers[0].Name {
		follower = metadata.NewFollower(both, l)
	}
	err = runLanes(ctx, both, q, lanes, b, func(ctx context.Context, copier *replicator.Replicator) {
		lookForTopics(ctx, both, q, r.settings.Look, follower, copier, b)
	})
	return b.end(), err
}

// runLanes copies until the context ends, and does so beside it; the lanes checkpoint before it returns.
func runLanes(
	ctx context.Context, s clusters.Both,
	q ReplicateRequest,
	lanes []lane.Lane,
	b *beater,
	beside func(context.Context, *replicator.Replicator),
) error {
	running, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-activity.GetWorkerStopChannel(ctx):
		case <-b.offered:
		case <-running.Done():
		}
		cancel()
	}()
	copier := replicator.NewReplicator(s.Source.Cluster, s.Target.Cluster, q.steered(replicator.Options{
		Names: clusters.LaneNames(s.Plan), Holder: b.read().Holder, BatchMessages: s.Plan.Replicate.BatchMessages,
		BatchBytes: batchBytes, ExactBorn: s.Plan.Replicate.ExactBorn, BothWays: !s.Plan.Replicate.OneWay,
	}))
	q.setRates(copier)
	var looking sync.WaitGroup
	looking.Go(func() { beside(running, copier) })
	err := copier.Run(running, lanes, b.report)
	cancel()
	looking.Wait()
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return err
	}
	select {
	case <-b.offered:
		return offered(ctx, b.offer())
	default:
		return stopping()
	}
}

// offered leaves the shard to another worker.
func offered(ctx context.Context, p api.ReplicationProgress) error {
	activity.RecordHeartbeat(ctx, p)
	return fault.Again(fault.KindNotReady, offerPause, nil, "this worker leaves the lanes to one that has fewer")
}

// offerPause is long enough for another worker to be the first to ask.
const offerPause = 200 * time.Millisecond

// lanesFrom are the lanes of the shard, of all selected topics and of the selected groups' own. A
// topic that can't be paired keeps no other one waiting.
func lanesFrom(ctx context.Context, s clusters.Both, l clusters.Layout, q ReplicateRequest) (here []lane.Lane, unpaired []string) {
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

// ensureLaneGroups creates the lanes' consumer groups where they aren't created by themselves. Who
// may not create groups relies on the brokers, or on the person who granted the rights, to have it
// there: a pull says so if not.
func ensureLaneGroups(ctx context.Context, s clusters.Both) error {
	for _, c := range []*clusters.One{s.Source, s.Target} {
		if c.Proxy() != "" {
			continue // brokers behind it that may make them of the lanes' first pulls
		}
		brokers, err := c.FindBrokers(ctx)
		if err != nil {
			return err
		}
		table, err := c.GroupTable(ctx, brokers)
		if err != nil {
			return err
		}
		for _, b := range brokers {
			for _, name := range laneGroups(s.Plan) {
				if _, there := table[name][b.Name]; there || b.Slave {
					continue // a slave takes no groups, and makes them of pulls
				}
				if err := c.Client().PutGroup(ctx, b.Addr, rocketmq.NewGroup(name)); err != nil &&
					!remoting.Denied(err) {
					return c.Explain(ctx, err)
				}
			}
		}
	}
	return nil
}

// laneGroups are the groups of the lanes in each direction.
func laneGroups(p plan.Plan) []string {
	names := clusters.LaneNames(p)
	if p.Replicate.OneWay {
		return []string{names.Group}
	}
	return []string{names.Group, names.Back().Group}
}

// beater keeps the latest progress and beats with it, also while nothing moves.
type beater struct {
	observe  func(lane.Progress)
	counter  *shards.Counter
	offered  <-chan struct{} // closed when another worker is to run the lanes
	most     int             // topics, and faults, to tell of
	mu       sync.Mutex
	progress api.ReplicationProgress
}

func (b *beater) report(p lane.Progress) {
	b.observe(p)
	p = b.bounded(b.counter.Add(p))
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Progress = p
}

func (b *beater) unpaired(topics []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Unpaired = topics[:min(len(topics), b.most)]
}

func (b *beater) read() api.ReplicationProgress {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.progress
}

// offer is what the next worker is told.
func (b *beater) offer() api.ReplicationProgress {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.progress.Offers = 1
	return b.progress
}

func (b *beater) start(ctx context.Context) (stop func()) {
	return beating(ctx, func() any { return b.read() })
}

// end is what lanes tell that end: how much they have copied. What else they told was of a moment.
func (b *beater) end() api.ReplicationProgress {
	p := b.read()
	if p.Back != nil {
		p.Back = &lane.Progress{Copied: p.Back.Copied}
	}
	p.Progress = lane.Progress{Copied: p.Copied, Back: p.Back}
	return p
}

// bounded tells of as much as the heartbeat may.
func (b *beater) bounded(p lane.Progress) lane.Progress {
	p = shards.Bounded(p, b.most)
	if p.Back != nil {
		back := shards.Bounded(*p.Back, b.most)
		p.Back = &back
	}
	return p
}
