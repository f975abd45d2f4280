package replicator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
)

// bothWays makes the fixture copy in both directions.
func bothWays(t *testing.T) *laneFixture {
	b := newLaneFixture(t)
	b.options.BothWays = true
	return b
}

// tenCopied is a pair of queues whose lanes have copied ten messages of the source, and have ended.
func tenCopied(t *testing.T) *laneFixture {
	b := bothWays(t)
	run := b.start(fastHome)
	b.write(10, 10)
	b.untilBoth(run, 10)
	run.end()
	return b
}

// slowly makes both sides take up to some milliseconds for each pull and each send, so that what
// the lanes do meets what applications do at many points.
func (b *laneFixture) slowly(seed uint64) {
	var mu sync.Mutex
	random := rand.New(rand.NewPCG(seed, 11))
	slow := func() {
		mu.Lock()
		pause := time.Duration(random.IntN(4000)) * time.Microsecond
		mu.Unlock()
		time.Sleep(pause)
	}
	b.source.Slow, b.target.Slow = slow, slow
}

// bodies lists what a queue holds, in its order.
func (b *laneFixture) bodies(f *replicatest.Side, q lane.Queue) []string {
	var all []string
	for _, m := range f.All(b.lane.Topic, q) {
		all = append(all, string(m.Body))
	}
	return all
}

// send stores an application's message.
func (b *laneFixture) send(f *replicatest.Side, q lane.Queue, body string, properties []byte) {
	f.Append(b.lane.Topic, q,
		remoting.Message{Body: []byte(body), BornTimestamp: 1_800_000_000_000, Properties: properties})
}

// untilBoth waits until both queues hold as many messages.
func (b *laneFixture) untilBoth(run *session, messages int) {
	b.Helper()
	b.until(fmt.Sprintf("both sides hold %d messages", messages), func() bool {
		return len(b.source.All(b.lane.Topic, b.lane.Source)) >= messages &&
			len(b.target.All(b.lane.Topic, b.lane.Target)) >= messages &&
			run.progress().Lag == 0
	}, func() any {
		return fmt.Sprintf("%d on the source, %d on the target, %+v, back %+v",
			len(b.source.All(b.lane.Topic, b.lane.Source)), len(b.target.All(b.lane.Topic, b.lane.Target)),
			run.progress(), run.progress().Back)
	})
}

// only keeps the messages of one side, as their names tell.
func only(side byte, bodies []string) []string {
	return slices.DeleteFunc(slices.Clone(bodies), func(body string) bool { return body[0] != side })
}

func (b *laneFixture) wantSame(sent map[byte][]string) {
	b.Helper()
	source, target := b.bodies(b.source, b.lane.Source), b.bodies(b.target, b.lane.Target)
	for side, want := range sent {
		if got := only(side, source); !slices.Equal(got, want) {
			b.Errorf("the source holds %d messages of %c: %.300q, wanted %d", len(got), side, got, len(want))
		}
		if got := only(side, target); !slices.Equal(got, want) {
			b.Errorf("the target holds %d messages of %c: %.300q, wanted %d", len(got), side, got, len(want))
		}
	}
}

func TestBothWaysEachMessageIsOnceOnEachSideInItsOrder(t *testing.T) {
	for seed := range uint64(20) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				random := rand.New(rand.NewPCG(seed, 7))
				b := bothWays(t)
				b.options.BatchMessages = 1 + random.IntN(40)
				b.source.Brief, b.target.Brief = seed%2 == 1, seed%3 == 1
				b.slowly(seed)
				sent := map[byte][]string{}
				total := 0
				write := func(side byte, f *replicatest.Side, q lane.Queue, other *replicatest.Side, otherQ lane.Queue) {
					for range random.IntN(30) {
						body := fmt.Sprintf("%c%d", side, len(sent[side]))
						var properties []byte
						if again := other.All(b.lane.Topic, otherQ); len(again) > 0 && random.IntN(3) == 0 {
							// an application sends on what it received
							properties = again[random.IntN(len(again))].Properties
						}
						if again := f.All(b.lane.Topic, q); len(again) > 0 && random.IntN(3) == 0 {
							properties = again[random.IntN(len(again))].Properties
						}
						time.Sleep(time.Duration(random.IntN(500)) * time.Microsecond)
						b.send(f, q, body, properties)
						sent[side] = append(sent[side], body)
						total++
					}
				}
				run := b.start(fastHome)
				for range 12 {
					write('s', b.source, b.lane.Source, b.target, b.lane.Target)
					// before, what it holds is of others
					if total > 0 && len(b.target.All(b.lane.Topic, b.lane.Target)) > 0 {
						write('t', b.target, b.lane.Target, b.source, b.lane.Source)
					}
					switch random.IntN(4) {
					case 0:
						run.end()
						run = b.start(fastHome)
					case 1:
						b.untilBoth(run, total)
					}
				}
				b.untilBoth(run, total)
				run.end()
				b.wantSame(sent)
			})
		})
	}
}

// fastHome makes lanes quick to believe where a queue's home is.
func fastHome(r *Replicator) {
	r.timing.homeRest, r.timing.look = 20*time.Millisecond, 5*time.Millisecond
}

func TestReverseLaneDoesNotReadWhatTheForwardLaneWrote(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		run := b.start(fastHome)
		b.write(10, 10)
		b.untilBoth(run, 10)
		before := b.target.Pulled
		b.write(5000, 100)
		b.untilBoth(run, 5010)
		if read := b.target.Pulled - before; read > 0 {
			t.Errorf("%d of 5000 copies were read from the target", read)
		}
		if got := len(b.source.All(b.lane.Topic, b.lane.Source)); got != 5010 {
			t.Errorf("the source holds %d messages, wanted its own 5010", got)
		}
	})
}

// behindOthers has copied 7 messages to the target, after 5 that it held before, and one of the
// target's own back.
func behindOthers(t *testing.T) *laneFixture {
	b := bothWays(t)
	for i := range 5 {
		b.send(b.target, b.lane.Target, fmt.Sprint("x", i), nil)
	}
	b.write(7, 1)
	run := b.start(fastHome)
	b.untilBoth(run, 7)
	b.send(b.target, b.lane.Target, "t0", nil)
	b.untilBoth(run, 8)
	run.end()
	return b
}

func TestReverseLaneLeavesAloneWhatTheTargetHeldBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := behindOthers(t)
		if got := b.bodies(b.source, b.lane.Source); len(got) != 8 || got[7] != "t0" {
			t.Errorf("the source holds %q, wanted its own 7 and t0", got)
		}
		if got := b.bodies(b.target, b.lane.Target); len(got) != 13 {
			t.Errorf("the target holds %q, wanted 5 of others, 7 copies and t0", got)
		}
	})
}

func TestMessagesInARingOfThreeClustersPassEachClusterOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		third := replicatest.NewSide("Third")
		q := lane.Queue{Broker: "broker-q", ID: 0}
		ring := []struct {
			from, to *replicatest.Side
			names    replica.Names
			lane     lane.Lane
		}{
			{b.source, b.target, replica.Names{Group: "ab", Source: "A", Target: "B"}, b.lane},
			{
				b.target,
				third,
				replica.Names{Group: "bc", Source: "B", Target: "C"},
				lane.Lane{Topic: b.lane.Topic, Source: b.lane.Target, Target: q},
			},
			{
				third,
				b.source,
				replica.Names{Group: "ca", Source: "C", Target: "A"},
				lane.Lane{Topic: b.lane.Topic, Source: q, Target: b.lane.Source},
			},
		}
		b.send(b.source, b.lane.Source, "a0", nil)
		b.send(b.target, b.lane.Target, "b0", nil)
		b.send(third, q, "c0", nil)
		var runs []*session
		for _, lane := range ring {
			leg := &laneFixture{
				T:       t,
				source:  lane.from,
				target:  lane.to,
				lane:    lane.lane,
				options: Options{Names: lane.names, Holder: "one"},
			}
			runs = append(runs, leg.start())
		}
		all := func() map[string][]string {
			return map[string][]string{
				"A": b.bodies(b.source, b.lane.Source),
				"B": b.bodies(b.target, b.lane.Target),
				"C": b.bodies(third, q),
			}
		}
		b.until("every cluster holds every message", func() bool {
			held := all()
			return len(held["A"]) >= 3 && len(held["B"]) >= 3 && len(held["C"]) >= 3
		}, func() any { return all() })
		// An application on C sends on what it received, with all its properties: that is a message
		// of its own.
		received := third.All(b.lane.Topic, q)
		b.send(third, q, "c1", received[len(received)-1].Properties)
		b.until("the message that was sent on is everywhere", func() bool {
			held := all()
			return len(held["A"]) >= 4 && len(held["B"]) >= 4 && len(held["C"]) >= 4
		}, func() any { return all() })
		for _, run := range runs {
			run.untilProgress("nothing is on its way",
				func(p lane.Progress) bool { return p.CaughtUp == 1 && p.Lag == 0 })
			run.end()
		}
		for cluster, bodies := range all() {
			slices.Sort(bodies)
			if want := []string{"a0", "b0", "c0", "c1"}; !slices.Equal(bodies, want) {
				t.Errorf("%s holds %q, wanted %q", cluster, bodies, want)
			}
		}
	})
}

func TestAForwardLaneSaysThatItWaitsForTheLaneBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		b.write(3, 3)
		b.target.Append(b.lane.Topic, b.lane.Target, native(nil))
		b.target.Set(func() { b.target.OnPull = func(int64) error { return errNoAnswer } })
		run := b.start()
		run.untilProgress("it says so", func(p lane.Progress) bool {
			return strings.Contains(p.Waiting, "the lane back must find its place first: ") &&
				strings.Contains(p.Waiting, errNoAnswer.Error())
		})
		b.target.Set(func() { b.target.OnPull = nil })
		run.untilCaughtUp()
		if p := run.progress(); p.Waiting != "" {
			t.Errorf("it copies, and waits: %s", p.Waiting)
		}
	})
}

// Brokers show a message a little after they acknowledged it. While the lane back writes without a
// pause, its reverse lane sees that queue end before what was written, again and again: that is no
// sign of a topic made anew.
func TestCopiesThatAreShownLateAreNoFault(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := bothWays(t)
		run := b.start(
			func(r *Replicator) { r.timing.patience = time.Minute },
		) // a queue that hides a copy for longer is asked all the same
		run.untilCaughtUp()                          // what is on the target before stays there
		b.send(b.source, b.lane.Source, "home", nil) // so that the lane looks at the source for a while
		b.untilBoth(run, 1)
		b.source.Set(func() { b.source.Unshown = 1 })
		for i := range 30 {
			b.send(b.target, b.lane.Target, fmt.Sprint("t", i), nil)
			b.until("the copy is on the source",
				func() bool { return len(b.bodies(b.source, b.lane.Source)) == i+2 },
				func() any { return fmt.Sprintf("%+v", run.progress().Back) })
			time.Sleep(time.Millisecond) // so that looks fall between writes
		}
		if p := run.progress(); len(p.Faults) > 0 {
			t.Fatalf("progress %+v, wanted no fault", p)
		}
		b.source.Set(func() { b.source.Unshown = 0 })
		b.send(b.source, b.lane.Source, "s0", nil)
		b.untilBoth(run, 32)
		run.stop()
	})
}
