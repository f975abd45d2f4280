package replicator

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// bodies lists what a queue holds.
func (l *live) bodies(cluster *rocketmq.Cluster, q lane.Queue) (all []string) {
	l.Helper()
	from := replica.Reader{Side: replica.NewBrokers("either", cluster), Group: l.group, Topic: l.topic, Queue: q}
	first, end, err := from.Bounds(l.ctx)
	if err != nil {
		l.Fatal(err)
	}
	err = from.Each(l.ctx, first, end, func(m replica.Message) bool {
		all = append(all, string(m.Body))
		return true
	})
	if err != nil {
		l.Fatal(err)
	}
	return all
}

// properties are those of the last message of a queue.
func (l *live) properties(cluster *rocketmq.Cluster, q lane.Queue) []byte {
	l.Helper()
	from := replica.Reader{Side: replica.NewBrokers("either", cluster), Group: l.group, Topic: l.topic, Queue: q}
	_, end, err := from.Bounds(l.ctx)
	if err != nil {
		l.Fatal(err)
	}
	last, there, err := from.One(l.ctx, end-1)
	if err != nil || !there {
		return nil
	}
	return last.Properties
}

// Applications write to both sides of each queue at the same time, some of them what they received,
// with all its properties, while copiers die and others take over.
func TestLiveBothWaysUnderLoadEachMessageIsOnceOnEachSide(t *testing.T) {
	const batches, each, runs = 60, 25, 5
	l := newLive(t, "both-ways", 2)
	l.fill(50) // so that the reverse lanes have their place before anybody writes to the target
	both := func(r *Replicator) {
		r.options.BothWays = true
		r.timing.homeRest, r.timing.look = time.Second, 100*time.Millisecond
	}
	run := l.start("one", l.lanes, both)
	l.untilCopied(run)
	// Each run has its part of the messages to copy, which nobody writes before.
	var begun [runs]chan struct{}
	for n := range begun {
		begun[n] = make(chan struct{})
	}
	var writers sync.WaitGroup
	for _, of := range l.lanes {
		for side, at := range map[string]struct {
			cluster *rocketmq.Cluster
			queue   lane.Queue
		}{"s": {l.source, of.Source}, "t": {l.target, of.Target}} {
			writers.Go(func() {
				for i := range batches {
					select {
					case <-begun[i/(batches/runs)]:
					case <-l.ctx.Done():
						return
					}
					var messages []rocketmq.BatchMessage
					var old []byte
					if i%3 == 0 {
						old = l.properties(at.cluster, at.queue)
					}
					for n := range each {
						messages = append(messages, rocketmq.BatchMessage{
							Body:       fmt.Appendf(nil, "%s-%d-%05d", side, of.Index, i*each+n),
							Properties: old,
						})
					}
					l.store(at.cluster, at.queue, time.Now().UnixMilli(), messages...)
				}
			})
		}
	}
	for n := range runs - 1 { // nothing is left in order by these
		close(begun[n])
		l.until("it has copied something", run, func(p lane.Progress) bool { return p.Copied > 100 })
		run.stop()
		run = l.start("one", l.lanes, func(r *Replicator) {
			both(r)
			r.timing.checkpoint = -1
		})
	}
	close(begun[runs-1])
	writers.Wait()
	want := int64(50 + 2*batches*each)
	l.until("both sides hold everything", run, func(lane.Progress) bool {
		for _, lane := range l.lanes {
			source, errSource := l.source.Client().
				MaxOffset(l.ctx, l.broker(l.source, lane.Source.Broker), l.topic, lane.Source.ID)
			target, errTarget := l.target.Client().
				MaxOffset(l.ctx, l.broker(l.target, lane.Target.Broker), l.topic, lane.Target.ID)
			if errSource != nil || errTarget != nil || source < want || target < want {
				return false
			}
		}
		return true
	})
	l.untilCopied(run)
	if last := run.stop(); len(last.Faults)+len(last.Back.Faults) > 0 {
		t.Fatalf("faults %+v, back %+v", last.Faults, last.Back.Faults)
	}
	for _, lane := range l.lanes {
		source, target := l.bodies(l.source, lane.Source), l.bodies(l.target, lane.Target)
		for _, side := range []byte("st") {
			onSource, onTarget := only(side, source), only(side, target)
			if !slices.Equal(onSource, onTarget) || !slices.IsSorted(onSource) ||
				len(slices.Compact(onSource)) != batches*each {
				t.Errorf(
					"%s: messages of %c: %d on the source, %d on the target, wanted the same %d in their order on both",
					lane, side, len(onSource), len(onTarget), batches*each,
				)
			}
		}
	}
	if got := l.verify(); got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 || got.Back != int64(4*batches*each) {
		t.Errorf("verification %+v, wanted no difference and %d copies on the source", got, 4*batches*each)
	}
}
