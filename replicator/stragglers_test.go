package replicator

import (
	"context"
	"fmt"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
)

// fromHost stores n messages of an application, at a time of the broker.
func (b *laneFixture) fromHost(f *replicatest.Side, q lane.Queue, host string, n int, stored time.Time) {
	for i := range n {
		f.Append(b.lane.Topic, q, remoting.Message{
			Body:          fmt.Appendf(nil, "%s %d", host, i),
			BornTimestamp: stored.UnixMilli(), StoreTimestamp: stored.UnixMilli(),
			BornHost: netip.MustParseAddrPort(host),
		})
	}
}

// askingOften makes lanes quick to ask who left.
func askingOften(r *Replicator) {
	fastHome(r)
	r.timing.straggle = 20 * time.Millisecond
}

// untilStragglers waits until so many messages of stragglers are counted in one direction.
func (b *laneFixture) untilStragglers(
	run *session,
	of func(lane.Progress) lane.Progress,
	messages int64,
) lane.Progress {
	b.Helper()
	count := func() (n int64) {
		for _, t := range of(run.progress()).Topics {
			n += t.Stragglers
		}
		return n
	}
	b.until(fmt.Sprintf("%d messages of stragglers are counted", messages),
		func() bool { return count() >= messages }, func() any { return count() })
	if got := count(); got != messages {
		b.Errorf("%d messages of stragglers are counted, wanted %d", got, messages)
	}
	return of(run.progress())
}

func there(p lane.Progress) lane.Progress { return p }

func back(p lane.Progress) lane.Progress {
	if p.Back == nil { // nothing is reported yet
		return lane.Progress{}
	}
	return *p.Back
}

func TestWhoWritesOnASideThatWasLeftIsCountedAndNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		begin := time.Now().Truncate(time.Second)
		b.fromHost(b.source, b.lane.Source, "10.0.0.1:4711", 30, begin)
		run := b.start(askingOften)
		b.untilBoth(run, 30)
		if err := b.positions().Leave(context.Background(), b.lane); err != nil {
			t.Fatal(err)
		}
		b.fromHost(b.target, b.lane.Target, "10.0.0.1:4712", 20, begin.Add(time.Second)) // at home
		b.fromHost(b.source, b.lane.Source, "10.0.0.2:5000", 3, begin.Add(2*time.Second))
		b.fromHost(b.source, b.lane.Source, "[fd00::7]:6000", 5, begin.Add(2*time.Second))
		b.fromHost(b.source, b.lane.Source, "10.0.0.2:5001", 4, begin.Add(3*time.Second))
		p := b.untilStragglers(run, there, 12)
		b.untilBoth(run, 62)
		want := map[string]lane.Straggler{
			"10.0.0.2:5001":  {Messages: 7, Last: begin.Add(3 * time.Second)},
			"[fd00::7]:6000": {Messages: 5, Last: begin.Add(2 * time.Second)},
		}
		if len(p.Stragglers) != len(want) {
			t.Fatalf("stragglers %v, wanted %d", p.Stragglers, len(want))
		}
		for _, s := range p.Stragglers {
			w := want[s.Sender]
			if s.Messages != w.Messages || !s.Last.Equal(w.Last) || s.Topic != b.lane.Topic || s.Side != "source" ||
				s.Broker != b.lane.Source.Broker ||
				s.Queue != b.lane.Source.ID ||
				s.PerSecond <= 0 {
				t.Errorf("%+v, wanted %+v at source queue %s, with a rate", s, w, b.lane.Source)
			}
		}
		if got := back(run.progress()); len(got.Stragglers) > 0 {
			t.Errorf("%v straggle on the target, where their home is", got.Stragglers)
		}
		run.end()
	})
}

func TestAfterTheWayBackThoseOnTheTargetAreTheStragglers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		ctx, p, begin := context.Background(), b.positions(), time.Now()
		reverse := positions.Of(b.target, b.source, b.options.Back())
		b.fromHost(b.source, b.lane.Source, "10.0.0.1:4711", 5, begin)
		run := b.start(askingOften)
		b.untilBoth(run, 5)
		for _, err := range []error{p.Leave(ctx, b.lane), p.Enter(ctx, b.lane), reverse.Leave(ctx, b.lane.Back())} {
			if err != nil {
				t.Fatal(err)
			}
		}
		b.fromHost(b.source, b.lane.Source, "10.0.0.1:4711", 5, begin.Add(time.Second))
		b.fromHost(b.target, b.lane.Target, "10.0.0.3:4711", 2, begin.Add(time.Second))
		got := b.untilStragglers(run, back, 2)
		if len(got.Stragglers) != 1 || got.Stragglers[0].Sender != "10.0.0.3:4711" ||
			got.Stragglers[0].Broker != b.lane.Target.Broker ||
			got.Stragglers[0].Side != "target" {
			t.Errorf("stragglers %v, wanted the one on the target", got.Stragglers)
		}
		b.untilBoth(run, 12)
		run.end()
		if all := run.progress(); len(all.Stragglers) > 0 {
			t.Errorf("%v straggle on the source, where their home is again", all.Stragglers)
		}
	})
}

func TestALaneThatStartsLaterKnowsWhereItsQueueWasLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		begin := time.Now()
		b.fromHost(b.source, b.lane.Source, "10.0.0.1:4711", 8, begin)
		ctx, p := context.Background(), b.positions()
		if err := p.Leave(ctx, b.lane); err != nil {
			t.Fatal(err)
		}
		b.fromHost(b.source, b.lane.Source, "10.0.0.1:4711", 2, begin.Add(time.Second))
		if err := p.Leave(ctx, b.lane); err != nil { // an activity that is run again
			t.Fatal(err)
		}
		if at, left, err := p.Left(ctx, b.lane); at != 8 || !left || err != nil {
			t.Errorf("left at %d (%v, %v), wanted 8", at, left, err)
		}
		run := b.start(askingOften)
		b.untilStragglers(run, there, 2)
		run.end()
	})
}

func TestWhatIsRememberedOfSendersIsBounded(t *testing.T) {
	address := func(i int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), 4711)
	}
	var w writers
	for i := range 10_000 {
		w.note(
			&replica.Message{Position: int64(i), Message: &remoting.Message{BornHost: address(i), StoreTimestamp: 1}},
		)
		w.note(
			&replica.Message{Position: int64(i), Message: &remoting.Message{BornHost: address(i), StoreTimestamp: 1}},
		) // judged again
	}
	if len(w.seen) > maxWriters+1 {
		t.Errorf("a lane remembers %d senders", len(w.seen))
	}
	seen := w.take(time.Now())
	w.note(&replica.Message{Position: 10_000, Message: &remoting.Message{BornHost: address(1), StoreTimestamp: 1}})
	w.back(seen)
	sum, now := int64(0), time.Now()
	var known stragglers
	for _, of := range w.take(now) {
		sum += of.count
	}
	if sum != 10_001 {
		t.Errorf("%d messages are counted, wanted 10001", sum)
	}
	for i := range 10 * maxStragglers {
		known.add(lane.Lane{Topic: "orders"}, &writing{count: 1, address: address(i), stored: int64(i)}, now)
	}
	all := known.all(now)
	if len(all) != maxStragglers {
		t.Errorf("%d stragglers are remembered, wanted %d", len(all), maxStragglers)
	}
	for _, s := range all {
		if s.Last.UnixMilli() < 9*maxStragglers {
			t.Errorf("%v is remembered, and newer ones are not", s)
		}
	}
}

func TestTheRateOfAStragglerFallsWhenItStops(t *testing.T) {
	var known stragglers
	now := time.Now()
	for i := range 20 {
		known.add(lane.Lane{Topic: "orders"}, &writing{count: 5, stored: int64(i)},
			now.Add(time.Duration(i)*time.Second))
		known.all(now.Add(time.Duration(i) * time.Second))
	}
	if got := known.all(now.Add(20 * time.Second))[0]; got.PerSecond < 4 || got.PerSecond > 6 {
		t.Errorf("%.1f a second, wanted 5", got.PerSecond)
	}
	if got := known.all(now.Add(31 * time.Second))[0]; got.PerSecond > 0.5 || got.Messages != 100 {
		t.Errorf("%+v, wanted a straggler that stopped", got)
	}
}
