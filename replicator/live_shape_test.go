package replicator

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// newShape makes a topic with so many queues on each of these brokers, and a queue per lane.
func newShape(t *testing.T, target *lab.Cluster, topic string, from, to map[string]int) *live {
	t.Helper()
	l := newLiveTopic(t, labtest.Cluster(t, "4.9.7"), target, topic)
	for cluster, queues := range map[*rocketmq.Cluster]map[string]int{l.source: from, l.target: to} {
		for broker, n := range queues {
			config := rocketmq.TopicConfig{
				Name:        l.topic,
				ReadQueues:  n,
				WriteQueues: n,
				Perm:        6,
				FilterType:  "SINGLE_TAG",
			}
			if err := cluster.Client().CreateTopic(l.ctx, l.broker(cluster, broker), config); err != nil {
				t.Fatal(err)
			}
		}
	}
	var err error
	if l.lanes, err = replica.LanesOf(l.ctx, l.source, l.target, l.topic); err != nil {
		t.Fatal(err)
	}
	return l
}

// write stores messages with bodies of their own, which begin with what says who wrote them.
func (l *live) write(cluster *rocketmq.Cluster, q lane.Queue, who string, n int, properties []byte) {
	l.Helper()
	var messages []rocketmq.BatchMessage
	name := fmt.Sprint(who, " ", q)
	for range n {
		messages = append(messages,
			rocketmq.BatchMessage{Body: fmt.Appendf(nil, "%s %04d", name, l.wrote[name]), Properties: properties})
		l.wrote[name]++
	}
	l.batch(cluster, q, time.Now().UnixMilli(), messages...)
}

// held waits until both replicas of a lane hold everything: what the target held before only there,
// and all else on both, once and in order.
func (l *live) held(run *copier, of lane.Lane, before, source, target int) (here, there []string) {
	l.Helper()
	l.until(
		fmt.Sprintf("%s holds %d of the source and %d of the target on both sides", of, source, target),
		run,
		func(lane.Progress) bool {
			here, there = l.bodies(l.source, of.Source), l.bodies(l.target, of.Target)
			return len(here) >= source+target && len(there) >= before+source+target
		},
	)
	old := only('x', there)
	if len(old) != before || len(only('x', here)) > 0 || !slices.Equal(old, there[:before]) {
		l.Fatalf("%s: %d of the target's earlier messages there, %d on the source, wanted %d in front and none",
			of, len(old), len(only('x', here)), before)
	}
	for side, want := range map[byte]int{'s': source, 't': target} {
		original, copied := only(side, here), only(side, there)
		if !slices.Equal(original, copied) || !slices.IsSorted(original) ||
			len(slices.Compact(slices.Clone(original))) != want ||
			len(original) != want {
			l.Fatalf("%s: of %c the source holds %d, the target %d, wanted the same %d in their order:\n%q\n%q",
				of, side, len(original), len(copied), want, original, copied)
		}
	}
	return here, there
}

// Topics lie on one broker here and on two there, of the same names or others, with a number of
// queues that doesn't divide; the target's hold messages of its own, some of them copies that lanes
// of an earlier migration have made.
func TestLongTopicsOfAnyShapeAreCopiedBesideWhatTheTargetHolds(t *testing.T) {
	t.Parallel()
	wide := labtest.OwnCluster(t,
		lab.ClusterSpec{Name: "Wide", Version: "5.3.3", BrokerNames: []string{"broker-b", "broker-z"}})
	for name, at := range map[string]struct{ from, to map[string]int }{
		"one-to-two-of-the-same-name": {map[string]int{"broker-b": 3}, map[string]int{"broker-b": 2, "broker-z": 1}},
		"one-to-two-of-other-names":   {map[string]int{"broker-a": 3}, map[string]int{"broker-b": 2, "broker-z": 1}},
		"two-to-one-of-the-same-name": {map[string]int{"broker-a": 2, "broker-b": 1}, map[string]int{"broker-b": 3}},
		"two-to-one-of-another-name":  {map[string]int{"broker-a": 2, "broker-b": 1}, map[string]int{"broker-z": 3}},
		"two-to-two-of-crossed-names": {map[string]int{"broker-a": 1, "broker-b": 2}, map[string]int{"broker-b": 2, "broker-z": 1}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newShape(t, wide, name, at.from, at.to).shape()
		})
	}
}

func (l *live) shape() {
	const before, history, later = 8, 60, 5
	both := func(r *Replicator) {
		r.options.BothWays = true
		r.timing.homeRest, r.timing.look = time.Second, 100*time.Millisecond
	}
	for _, lane := range l.lanes {
		elder := replica.NewStamper(replica.Names{Group: l.group, Source: "Elder", Target: "Target"}, lane)
		l.write(l.target, lane.Target, "x", before/2, nil)
		l.write(l.target, lane.Target, "x", before/2, stored(elder, nil, 7))
		if lane.Index > 0 { // one has no history
			l.write(l.source, lane.Source, "s", history, nil)
		}
	}
	run := l.start("one", l.lanes, both)
	l.untilCopied(run)
	written := make([]int, len(l.lanes)) // by the source
	for _, lane := range l.lanes {
		if lane.Index > 0 {
			written[lane.Index] = history
		}
		l.held(run, lane, before, written[lane.Index], 0)
		l.write(l.target, lane.Target, "t", later, nil)
		l.write(l.source, lane.Source, "s", later, nil)
		written[lane.Index] += later
		l.held(run, lane, before, written[lane.Index], later)
	}
	run.stop()
	for _, lane := range l.lanes {
		l.write(l.source, lane.Source, "s", later, nil)
		written[lane.Index] += later
	}
	run = l.start("two", l.lanes, both)
	l.untilCopied(run)
	compared := 0
	positions, ours := positions.New(l.source, l.target, l.names()), func(body string) bool { return body[0] != 'x' }
	for _, lane := range l.lanes {
		compared += written[lane.Index]
		here, there := l.held(run, lane, before, written[lane.Index], later)
		for at := 0; at <= len(there); at++ {
			if at == before+later {
				at = max(at, len(here)-4*later) // what lies between is like what was just looked at
			}
			if at <= len(here) {
				wantAcross(l.T, positions, lane, here, there, ours, int64(at))
			}
			wantAcross(l.T, positions.Reversed(), lane.Back(), there, here, ours, int64(at))
		}
	}
	if last := run.stop(); last.Copied != int64(later*len(l.lanes)) || len(last.Faults)+len(last.Back.Faults) > 0 {
		l.Errorf("the second run copied %d messages, faults %v, %v; wanted the %d that came between the runs",
			last.Copied, last.Faults, last.Back.Faults, later*len(l.lanes))
	}
	got := l.verify()
	if got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 || got.Compared != int64(compared) ||
		got.Natives != int64(len(l.lanes)*(before+later)) || got.Back != int64(len(l.lanes)*later) {
		l.Errorf("verification %+v, wanted %d compared, %d natives, %d back and no difference", got, compared,
			len(l.lanes)*(before+later), len(l.lanes)*later)
	}
}
