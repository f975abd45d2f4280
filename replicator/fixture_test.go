package replicator

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
	"rocketshift/replicator/verify"
)

// laneFixture is a lane between two fakes.
type laneFixture struct {
	*testing.T
	source, target *replicatest.Side
	lane           lane.Lane
	options        Options
}

func newLaneFixture(t *testing.T) *laneFixture {
	b := &laneFixture{
		T: t, source: replicatest.NewSide("Old"), target: replicatest.NewSide("New"),
		lane: lane.Lane{
			Topic:  "orders",
			Source: lane.Queue{Broker: "broker-a", ID: 1},
			Target: lane.Queue{Broker: "broker-x", ID: 2},
		},
		options: Options{Names: replica.Names{Group: "rocketshift-test", Source: "Old", Target: "New"}, Holder: "one"},
	}
	t.Cleanup(func() {
		if b.source.Events+b.target.Events > 0 {
			t.Errorf(
				"%d pulls outside of the source queue, %d of the target's: brokers write an event message for each",
				b.source.Events, b.target.Events,
			)
		}
	})
	return b
}

// write appends messages to the source, with that many of each born time.
func (b *laneFixture) write(n, sameBorn int) {
	var end int64
	b.source.Set(func() { end = b.source.Log(b.lane.Topic, b.lane.Source).End() })
	for ; n > 0; n, end = n-1, end+1 {
		b.source.Append(b.lane.Topic, b.lane.Source, replicatest.Original(end, sameBorn))
	}
}

// native is an application's own message on the target, or one sent again with the properties of
// another.
func native(properties []byte) remoting.Message {
	return remoting.Message{Body: []byte("native"), BornTimestamp: 1_800_000_000_000, Properties: properties}
}

func (b *laneFixture) stamps() replica.Stamper { return replica.NewStamper(b.options.Names, b.lane) }

// stored returns the properties that a copy of the lane stores.
func stored(s replica.Stamper, original []byte, offset int64) []byte {
	_, kept, stamp := s.Properties(nil, original, offset, 0, "")
	return rocketmq.BatchMessage{Properties: kept, Added: stamp}.StoredProperties()
}

// quick is a timing for tests.
func quick() timing {
	t := usualTiming()
	t.settle, t.commit, t.caughtUp = 20*time.Millisecond, 20*time.Millisecond, 5*time.Millisecond
	t.retryFirst, t.retryMax, t.patience, t.report = time.Millisecond, 5*time.Millisecond, 10*time.Millisecond, 5*time.Millisecond
	return t
}

// session is a replicator at work.
type session struct {
	fixture    *laneFixture
	replicator *Replicator
	stop       context.CancelFunc
	ended      chan struct{}
	mu         sync.Mutex
	last       lane.Progress
}

func (b *laneFixture) start(change ...func(*Replicator)) *session {
	b.Helper()
	r := newReplicator(b.source, b.target, b.options)
	r.timing = quick()
	for _, c := range change {
		c(r)
	}
	ctx, stop := context.WithCancel(context.Background())
	started := &session{fixture: b, replicator: r, stop: stop, ended: make(chan struct{})}
	go func() {
		defer close(started.ended)
		if err := r.Run(ctx, []lane.Lane{b.lane}, started.report); err != nil {
			b.Errorf("run: %v", err)
		}
	}()
	b.Cleanup(started.end)
	return started
}

func (r *session) report(p lane.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.last = p
}

func (r *session) progress() lane.Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.last
}

func (r *session) end() {
	r.stop()
	<-r.ended
}

const untilTime = time.Minute

// until waits for a condition. Where time is synctest's, nothing but the condition can be late.
func (b *laneFixture) until(what string, condition func() bool, saw func() any) {
	b.Helper()
	deadline := time.Now().Add(untilTime)
	for !condition() {
		if time.Now().After(deadline) {
			b.Fatalf("waited %s until %s; saw %+v", untilTime, what, saw())
		}
		time.Sleep(time.Millisecond)
	}
}

func (r *session) untilProgress(what string, condition func(lane.Progress) bool) {
	r.fixture.Helper()
	r.fixture.until(what, func() bool { return condition(r.progress()) }, func() any { return r.progress() })
}

func (r *session) untilCaughtUp() {
	r.fixture.Helper()
	r.untilProgress("the lane has caught up", func(p lane.Progress) bool { return p.CaughtUp == 1 && p.Lag == 0 })
	b := r.fixture
	b.until("its progress is committed", func() bool {
		at, known, _ := b.source.Position(context.Background(), b.options.Group, b.lane.Topic, b.lane.Source)
		_, end, _ := b.source.Bounds(context.Background(), b.lane.Topic, b.lane.Source)
		return known && at == end
	}, func() any { return b.source.Log(b.lane.Topic, b.lane.Source).Positions })
}

// copies returns the stamped offsets on the target in their order, -1 for natives.
func (b *laneFixture) copies() []int64 {
	var all []int64
	for _, m := range b.target.All(b.lane.Topic, b.lane.Target) {
		offset, ours := b.stamps().Offset(&m)
		if !ours {
			offset = -1
		}
		all = append(all, offset)
	}
	return all
}

// wantCopies fails unless the target holds exactly the copies of [from, to), each once and equal to
// its original.
func (b *laneFixture) wantCopies(from, to int64) {
	b.Helper()
	var want []int64
	for offset := from; offset < to; offset++ {
		want = append(want, offset)
	}
	if got := b.copies(); !slices.Equal(got, want) {
		b.Fatalf("copies of offsets %v, wanted %d up to %d", got, from, to-1)
	}
	report := b.verify()
	if report.Missing+report.Extra+report.Altered+report.OutOfOrder > 0 {
		b.Fatalf("verification: %+v", report)
	}
}

func (b *laneFixture) verify() verify.Report {
	b.Helper()
	report, err := b.compare(verify.Options{}, nil)
	if err != nil {
		b.Fatalf("verify: %v", err)
	}
	return report
}

func (b *laneFixture) positions() *positions.Positions {
	return positions.Of(b.source, b.target, b.options.Names)
}

// compare verifies the lane.
func (b *laneFixture) compare(o verify.Options, progress func(verify.Checkpoint)) (verify.Report, error) {
	return b.compareUntil(context.Background(), o, progress)
}

func (b *laneFixture) compareUntil(
	ctx context.Context,
	o verify.Options,
	progress func(verify.Checkpoint),
) (verify.Report, error) {
	o.Names = b.options.Names
	return verify.Replicas(ctx, b.source, b.target, b.lane, o, progress)
}
