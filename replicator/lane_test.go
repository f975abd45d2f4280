package replicator

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replicatest"
)

func TestLaneCopiesWhatIsThereAndWhatComes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(500, 3)
		run := b.start()
		run.untilCaughtUp()
		b.wantCopies(0, 500)
		b.write(40, 1)
		run.untilCaughtUp()
		run.end()
		b.wantCopies(0, 540)
		p := run.progress()
		if p.Copied != 540 || p.Lanes != 1 || p.Waiting != "" || len(p.Faults) > 0 {
			t.Errorf("progress %+v", p)
		}
		if hint, known, _ := b.target.Position(context.Background(), b.options.Group, b.lane.Topic, b.lane.Target); !known ||
			hint != 540 {
			t.Errorf("hint on the target %d, known %v; wanted 540", hint, known)
		}
		if holder := b.target.Log(b.lane.Topic, b.lane.Target).Holder; holder != "" {
			t.Errorf("the lock still belongs to %q", holder)
		}
	})
}

// Before, the lane stopped at its first batch, and said that maxMessageSize be raised.
func TestABrokerThatTakesNoBatchesGetsEachMessageAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.NoBatches = true
		b.write(50, 3)
		late := remoting.Message{
			Body:          []byte("late"),
			BornTimestamp: 5,
			Properties:    []byte("DELAY\x013\x02KEYS\x01k\x02"),
		}
		b.source.Append(b.lane.Topic, b.lane.Source, late)
		run := b.start()
		run.untilCaughtUp()
		run.end()
		got := b.target.All(b.lane.Topic, b.lane.Target)
		if len(got) != 51 || b.target.Sends < 51 {
			t.Fatalf("%d copies by %d sends, wanted 51 alone; %+v", len(got), b.target.Sends, run.progress())
		}
		if _, delayed := remoting.PropertyValue(got[50].Properties, remoting.PropDelay); delayed {
			t.Error("the broker would deliver the copy late")
		}
		run = b.start() // compares the newest copy with its original
		run.untilCaughtUp()
		run.end()
		if got := b.verify(); got.Compared != 51 || got.Missing+got.Extra+got.Altered+got.OutOfOrder > 0 {
			t.Errorf("verification %+v, wanted 51 messages alike", got)
		}
	})
}

func TestFirstStartBeginsAtWhatTheSourceStillHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(50, 1)
		b.source.Expire(b.lane.Topic, b.lane.Source, 20)
		b.start().untilCaughtUp()
		b.wantCopies(20, 50)
	})
}

func TestEmptyLaneIsCaughtUpAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.start().untilCaughtUp()
		b.wantCopies(0, 0)
	})
}

func TestBatchesAreCutWhereWhatTheySharesChanges(t *testing.T) {
	message := func(change func(m *remoting.Message)) remoting.Message {
		m := remoting.Message{Body: []byte("b"), BornTimestamp: 5}
		if change != nil {
			change(&m)
		}
		return m
	}
	same := message(nil)
	long := message(func(m *remoting.Message) { m.Body = make([]byte, 600) })
	for _, test := range []struct {
		name     string
		messages []remoting.Message
		want     []int
	}{
		{"alike", []remoting.Message{same, same, same}, []int{3}},
		{"most messages", []remoting.Message{same, same, same, same, same, same}, []int{5, 1}},
		{"born time", []remoting.Message{same, message(func(m *remoting.Message) { m.BornTimestamp = 6 }), same}, []int{1, 1, 1}},
		{"reconsumed", []remoting.Message{same, same, message(func(m *remoting.Message) { m.ReconsumeTimes = 2 })}, []int{2, 1}},
		{"compressed", []remoting.Message{same, message(func(m *remoting.Message) { m.SysFlag = 0x1 })}, []int{1, 1}},
		{"flags that aren't copied", []remoting.Message{same, message(func(m *remoting.Message) { m.SysFlag = 0x18 }), same}, []int{3}},
		{"flag is per message", []remoting.Message{same, message(func(m *remoting.Message) { m.Flag = 9 })}, []int{2}},
		{"most bytes", []remoting.Message{long, same, long, same}, []int{2, 2}},
		{"one that is longer than a batch", []remoting.Message{same, message(func(m *remoting.Message) { m.Body = make([]byte, 5000) }), same}, []int{1, 1, 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.options.BatchMessages, b.options.BatchBytes = 5, 1000
				var got []int
				b.target.OnSend = func(_ int, batch rocketmq.BatchRequest) (bool, error) {
					got = append(got, len(batch.Messages))
					if batch.SysFlag&^remoting.FlagsOfContent != 0 {
						t.Errorf("sent system flag %#x", batch.SysFlag)
					}
					return true, nil
				}
				b.source.Append(b.lane.Topic, b.lane.Source, test.messages...)
				b.start().untilCaughtUp()
				if !slices.Equal(got, test.want) {
					t.Errorf("batches of %v messages, wanted %v", got, test.want)
				}
				b.wantCopies(0, int64(len(test.messages)))
			})
		})
	}
}

func TestBatchesAreNoLongerThanTheTargetTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.Limit = 500
		most := 0
		b.target.OnSend = func(_ int, batch rocketmq.BatchRequest) (bool, error) {
			size := 0
			for _, m := range batch.Messages {
				size += m.Size()
			}
			most = max(most, size)
			return true, nil
		}
		b.write(100, 100)
		b.start().untilCaughtUp()
		b.wantCopies(0, 100)
		if most > 500 || most < 300 {
			t.Errorf("the longest batch had %d bytes, wanted nearly the 500 that the target takes", most)
		}
	})
}

var errNoAnswer = errors.New("no answer")

func TestSendWithoutAnswerIsNeitherRepeatedNorLost(t *testing.T) {
	for name, stored := range map[string]bool{"stored": true, "not stored": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.write(100, 10)
				b.target.OnSend = func(n int, _ rocketmq.BatchRequest) (bool, error) {
					if n%3 == 0 {
						return stored, errNoAnswer
					}
					return true, nil
				}
				run := b.start()
				run.untilCaughtUp()
				b.wantCopies(0, 100)
				if got := run.progress().Copied; got != 100 {
					t.Errorf("%d messages count as copied, wanted 100: those of batches without an answer too", got)
				}
			})
		})
	}
}

func TestSendWhoseAnswerIsLostAndThatIsStoredLateIsNotRepeated(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 10)
		b.target.OnSend = func(n int, batch rocketmq.BatchRequest) (bool, error) {
			if n > 1 {
				return true, nil
			}
			time.AfterFunc(10*time.Millisecond,
				func() { _, _ = b.target.Send(context.Background(), b.lane.Target.Broker, batch, false) })
			return false, errNoAnswer
		}
		b.start(func(r *Replicator) { r.timing.settle = 100 * time.Millisecond }).untilCaughtUp()
		b.wantCopies(0, 10)
	})
}

func TestBusyTargetIsWaitedForAndNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 1)
		busy := true
		b.target.OnSend = func(int, rocketmq.BatchRequest) (bool, error) {
			if busy {
				return false, &remoting.Error{
					Server: "target broker-x",
					Call:   "SEND_BATCH_MESSAGE",
					Code:   remoting.SystemBusy,
				}
			}
			return true, nil
		}
		run := b.start()
		run.untilProgress("it says that the target is busy",
			func(p lane.Progress) bool { return strings.Contains(p.Waiting, "SYSTEM_BUSY") })
		if p := run.progress(); p.CaughtUp != 0 || !strings.Contains(p.Waiting, "broker-x") {
			t.Errorf("progress %+v, wanted the broker named and the lane not caught up", p)
		}
		b.target.Set(func() { busy = false })
		run.untilCaughtUp()
		run.untilProgress("nothing is waited for", func(p lane.Progress) bool { return p.Waiting == "" })
		b.wantCopies(0, 10)
	})
}

func TestSideThatIsDownIsWaitedFor(t *testing.T) {
	for _, side := range []string{"source", "target"} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.write(10, 1)
				f := b.source
				if side == "target" {
					f = b.target
				}
				refused := &remoting.Error{Server: side, Call: "any", Code: remoting.ServiceNotAvailable}
				f.Down = refused
				run := b.start()
				run.untilProgress("it says which side is away",
					func(p lane.Progress) bool { return strings.Contains(p.Waiting, side) })
				f.Set(func() { f.Down = nil })
				run.untilCaughtUp()
				f.Set(func() { f.Down = refused })
				b.write(10, 1)
				run.untilProgress("it waits again",
					func(p lane.Progress) bool { return strings.Contains(p.Waiting, side) })
				f.Set(func() { f.Down = nil })
				run.untilCaughtUp()
				b.wantCopies(0, 20)
			})
		})
	}
}

func TestLaneGoesOnBehindTheNewestCopyAfterAKill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(200, 4)
		b.target.OnSend = func(n int, _ rocketmq.BatchRequest) (bool, error) { return n < 20, errIf(n >= 20) }
		run := b.start(
			func(r *Replicator) { r.timing.commit, r.options.BatchMessages = time.Hour, 4 },
		) // no progress and no hint after the first start
		run.untilProgress("it stopped in the middle",
			func(p lane.Progress) bool { return p.Copied > 50 && p.Waiting != "" })
		b.source.Set(func() { b.source.Down = errNoAnswer })
		b.target.Set(func() { b.target.Down = errNoAnswer }) // so that it can't leave anything in order at its end
		run.end()
		b.source.Down, b.target.Down, b.target.OnSend = nil, nil, nil
		b.start().untilCaughtUp()
		b.wantCopies(0, 200)
	})
}

func errIf(bad bool) error {
	if bad {
		return errNoAnswer
	}
	return nil
}

func TestLaneGoesOnAmongNativesWithOldStamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(60, 1)
		run := b.start()
		run.untilCaughtUp()
		run.end()
		for _, offset := range []int64{3, 59, 17} { // an application sends them again with all their properties
			b.target.Append(b.lane.Topic, b.lane.Target, native(stored(b.stamps(), nil, offset)))
		}
		for hint, change := range map[string]func(at map[string]int64){
			"with the hint":    func(map[string]int64) {},
			"without the hint": func(at map[string]int64) { delete(at, b.options.Group) },
			"with an old hint": func(at map[string]int64) { at[b.options.Group] = 5 },
		} {
			change(b.target.Log(b.lane.Topic, b.lane.Target).Positions)
			b.write(10, 1)
			run := b.start()
			run.untilCaughtUp()
			run.end()
			if report := b.verify(); report.Extra+report.Missing+report.Altered+report.OutOfOrder > 0 ||
				report.Natives != 3 {
				t.Fatalf("%s: %+v, wanted three natives and nothing else", hint, report)
			}
		}
	})
}

func TestOnlyOneCopierAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		first := b.start()
		first.untilCaughtUp()
		b.options.Holder = "two"
		second := b.start()
		second.untilProgress("the second says that it waits",
			func(p lane.Progress) bool { return strings.Contains(p.Waiting, "locked by another copier") })
		b.write(50, 1)
		first.untilCaughtUp()
		if got := second.progress().Copied; got != 0 {
			t.Fatalf("the second copied %d messages beside the first", got)
		}
		first.end()
		b.write(50, 1)
		second.untilCaughtUp()
		b.wantCopies(0, 100)
		if got := second.progress(); got.Copied != 50 || got.Waiting != "" {
			t.Fatalf("progress of the second %+v, wanted 50 copied", got)
		}
	})
}

func TestLaneWhoseLockIsOldAsksAgainBeforeItSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		run := b.start(func(r *Replicator) {
			r.timing.renew, r.timing.lockValid, r.timing.settle = 20*time.Millisecond, 60*time.Millisecond, time.Millisecond
		})
		run.untilCaughtUp()
		log := b.target.Log(b.lane.Topic, b.lane.Target)
		taken := time.Now()
		b.target.Set(func() { log.Holder, log.LockedAt = "two", taken }) // ours had lapsed
		b.until("the last renewal is too old to send",
			func() bool { return time.Since(taken) > 80*time.Millisecond },
			func() any { return time.Since(taken) })
		b.write(5, 1)
		run.untilProgress("it sees that the lock is gone",
			func(p lane.Progress) bool { return strings.Contains(p.Waiting, "locked by another") })
		if got := b.copies(); len(got) > 0 {
			t.Fatalf("copied %v without the lock", got)
		}
		// The other one copied two messages and ended.
		for offset := range int64(2) {
			m := replicatest.Original(offset, 1)
			m.Properties = stored(b.stamps(), m.Properties, offset)
			b.target.Append(b.lane.Topic, b.lane.Target, m)
		}
		b.target.Set(func() { log.Holder = "" })
		run.untilCaughtUp()
		b.wantCopies(0, 5)
	})
}
