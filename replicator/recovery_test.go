package replicator

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/replicatest"
)

// What brokers forget when they are killed, and what arrives late.

func TestIdleLaneCommitsAgainWhatAKilledSourceForgot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 1)
		run := b.start(func(r *Replicator) { r.timing.pullWait = 5 * time.Millisecond })
		run.untilCaughtUp()
		b.source.Set(func() {
			b.source.Down = errNoAnswer
			b.source.Log(b.lane.Topic, b.lane.Source).Positions[b.options.Group] = 3 // of its last flush
		})
		run.untilProgress("it waits for the source", func(p lane.Progress) bool { return p.Waiting != "" })
		b.source.Set(func() { b.source.Down = nil })
		run.untilCaughtUp()
	})
}

func TestLaneMakesItsGroupAgainWhereItWasDeleted(t *testing.T) {
	for _, side := range []string{"source", "target"} {
		t.Run(side, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				run := b.start()
				run.untilCaughtUp()
				f := map[string]*replicatest.Side{"source": b.source, "target": b.target}[side]
				f.Set(func() { delete(f.Groups, b.options.Group) })
				b.write(10, 1)
				run.untilCaughtUp()
				run.untilProgress("nothing is waited for", func(p lane.Progress) bool { return p.Waiting == "" })
			})
		})
	}
}

func TestSendThatTheTargetTakesUpLateIsNotRepeated(t *testing.T) {
	t.Run("by the lane that sent it", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.write(10, 10)
			b.target.OnSend = func(n int, batch rocketmq.BatchRequest) (bool, error) {
				if n > 1 {
					return true, nil
				}
				b.target.Late = append(b.target.Late, batch)
				return false, errNoAnswer
			}
			b.start().untilCaughtUp()
			b.wantCopies(0, 10)
		})
	})
	t.Run("by the one that follows a killed one", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			b := newLaneFixture(t)
			b.stopped(0) // the killed one has sent nothing but its first batch
			b.write(10, 10)
			batch := rocketmq.BatchRequest{
				Topic:         b.lane.Topic,
				Queue:         b.lane.Target.ID,
				BornTimestamp: replicatest.Original(0, 10).BornTimestamp,
			}
			for offset := range int64(10) {
				m := replicatest.Original(offset, 10)
				batch.Messages = append(batch.Messages, rocketmq.BatchMessage{
					Flag:       m.Flag,
					Body:       m.Body,
					Properties: stored(b.stamps(), m.Properties, offset),
				})
			}
			b.target.Late = append(b.target.Late, batch)
			b.start().untilCaughtUp()
			b.wantCopies(0, 10)
		})
	})
}

func TestRestedLaneAsksForItsLockBeforeItSends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		run := b.start(func(r *Replicator) { r.timing.rest = 10 * time.Millisecond })
		run.untilCaughtUp()
		log, taken := b.target.Log(b.lane.Topic, b.lane.Target), time.Now()
		b.target.Set(
			func() { log.Holder, log.LockedAt = "two", taken },
		) // the target was restarted: it forgot who held the lock
		b.until("the lane has rested", func() bool { return time.Since(taken) > 20*time.Millisecond },
			func() any { return time.Since(taken) })
		b.write(5, 1)
		run.untilProgress("it sees that the lock is gone",
			func(p lane.Progress) bool { return strings.Contains(p.Waiting, "locked by another") })
		if got := b.copies(); len(got) > 0 {
			t.Fatalf("copied %v beside the holder of the lock", got)
		}
	})
}

func TestRestedLaneSeesWhatAnotherCopierDidInTheMeantime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		run := b.start(func(r *Replicator) { r.timing.rest = 10 * time.Millisecond })
		run.untilCaughtUp()
		rested := time.Now()
		b.until("the lane has rested", func() bool { return time.Since(rested) > 20*time.Millisecond },
			func() any { return time.Since(rested) })
		// the other one had the lock of a restarted target, copied two messages, and ended
		for offset := range int64(2) {
			m := replicatest.Original(offset, 1)
			m.Properties = stored(b.stamps(), m.Properties, offset)
			b.target.Append(b.lane.Topic, b.lane.Target, m)
		}
		b.target.Set(func() { b.target.Log(b.lane.Topic, b.lane.Target).Positions[b.options.Group] = 2 })
		b.write(5, 1)
		run.untilCaughtUp()
		b.wantCopies(0, 5)
	})
}

// A slave that takes over, or a broker that comes back after a loss, lacks the last copies and
// grants locks as if nothing had happened. A lane with nothing to send sees it all the same.
func TestLaneWithNothingToSendCopiesAgainWhatItsTargetLost(t *testing.T) {
	for _, bothWays := range []bool{false, true} {
		t.Run(fmt.Sprintf("both ways %t", bothWays), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newLaneFixture(t)
				b.options.BothWays = bothWays
				b.target.Says = map[string]string{"bootTimestamp": "1"}
				b.write(10, 1)
				run := b.start()
				run.untilCaughtUp()
				b.target.Set(func() {
					log := b.target.Log(b.lane.Topic, b.lane.Target)
					log.Messages, log.Shown, log.Holder = log.Messages[:6], 0, ""
					log.Positions[b.options.Group] = 6
					b.target.Says = map[string]string{"bootTimestamp": "2"}
				})
				b.until("what was lost is copied again", func() bool { return len(b.copies()) == 10 },
					func() any { return run.progress() })
				b.wantCopies(0, 10)
			})
		})
	}
}

func TestLaneThatLostItsTargetAsksForItsLockAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		run := b.start()
		run.untilCaughtUp()
		log := b.target.Log(b.lane.Topic, b.lane.Target)
		b.target.Set(func() {
			b.target.OnSend = func(int, rocketmq.BatchRequest) (bool, error) {
				log.Holder, log.LockedAt, b.target.OnSend = "two", time.Now(), nil // the target is restarted
				return false, &remoting.Error{Server: "broker-x", Code: remoting.ServiceNotAvailable}
			}
		})
		b.write(5, 5)
		run.untilProgress("it sees that the lock is gone",
			func(p lane.Progress) bool { return strings.Contains(p.Waiting, "locked by another") })
		if got := b.copies(); len(got) > 0 {
			t.Fatalf("copied %v beside the holder of the lock", got)
		}
	})
}

func TestBackDoesNotTrustAHintThatAKilledTargetForgot(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(10, 3)
	for offset := range int64(10) {
		m.put(offset)
	}
	m.native(nil)
	m.commit()
	m.target.Log(m.lane.Topic, m.lane.Target).Positions[m.options.Group] = 4 // of its last flush
	for position, want := range map[int64]positions.Translation{
		4: {Target: 4, Exact: true, Unread: 1}, 7: {Target: 7, Exact: true, Unread: 1},
		10: {Target: 10, Exact: true, Unread: 1}, 11: {Target: 10, Exact: true},
	} {
		if got, err := m.positions().Back(context.Background(), m.lane, position); err != nil || got != want {
			t.Errorf("back %d: %+v, %v; wanted %+v", position, got, err, want)
		}
	}
}

func TestForwardIsNotMisledByOldStampsInFrontOfAQueueWhoseBeginningExpired(t *testing.T) {
	m := &model{laneFixture: newLaneFixture(t)}
	m.write(30, 3)
	for offset := range int64(10) {
		m.put(offset)
	}
	m.native(stored(m.stamps(), nil, 3)) // position 10, where the queue will begin
	for offset := int64(10); offset < 16; offset++ {
		m.put(offset)
	}
	m.native(stored(m.stamps(), nil, 10)) // position 17, as far after position 10 as offset 10 is after 3
	m.commit()
	m.target.Expire(m.lane.Topic, m.lane.Target, 10)
	if got, err := m.positions().Forward(context.Background(), m.lane, 10); err != nil || got.Target != 11 {
		t.Fatalf("forward 10: %+v, %v; wanted 11, where its copy is", got, err)
	}
}

func TestLaneFindsItsNewestCopyFarBehindNativesWithoutAHint(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(10)
		b.target.Append(b.lane.Topic, b.lane.Target, make([]remoting.Message, 2*replica.Window)...)
		b.target.Append(b.lane.Topic, b.lane.Target, native(stored(b.stamps(), nil, 3)))
		delete(b.target.Log(b.lane.Topic, b.lane.Target).Positions, b.options.Group)
		b.write(5, 1)
		b.start().untilCaughtUp()
		if report := b.verify(); report.Compared != 15 || report.Extra+report.Missing+report.OutOfOrder > 0 {
			t.Fatalf("verification %+v, wanted 15 copies, each once", report)
		}
	})
}

func TestMessagesBeforeAnUnreadableOneAreCopied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 1)
		b.source.Hidden = map[int64]bool{7: true}
		b.start().untilFault(lane.SourceUnreadable, 7, 8)
		if got := b.copies(); len(got) != 7 {
			t.Fatalf("copies %v, wanted 0 to 6", got)
		}
	})
}

func TestLaneKeepsItsLockWhileItReadsALongTail(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(10)
		b.target.Append(b.lane.Topic, b.lane.Target, make([]remoting.Message, 5000)...)
		delete(b.target.Log(b.lane.Topic, b.lane.Target).Positions, b.options.Group)
		b.target.Slow = func() { time.Sleep(time.Millisecond) } // the whole tail takes longer than the lock lasts
		b.write(5, 1)
		b.start(func(r *Replicator) {
			r.timing.renew, r.timing.lockValid, r.timing.settle = 20*time.Millisecond, 80*time.Millisecond, time.Millisecond
		}).untilCaughtUp()
		if got := b.verify(); got.Compared != 15 || got.Extra+got.Missing > 0 {
			t.Fatalf("verification %+v, wanted 15 copies, each once", got)
		}
	})
}

func TestTailThatWasReadWhileTheLockLapsedIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.stopped(10)
		b.target.Append(b.lane.Topic, b.lane.Target, make([]remoting.Message, 200)...)
		delete(b.target.Log(b.lane.Topic, b.lane.Target).Positions, b.options.Group)
		b.write(5, 1)
		const valid = 100 * time.Millisecond
		b.target.Passes = 0
		looked := false
		b.target.Slow = func() {
			var last bool
			b.target.Set(func() { last = b.target.Passes > 0 && !looked; looked = looked || last })
			if !last {
				return
			}
			b.target.Set(func() { b.target.Down = errNoAnswer })
			time.Sleep(2 * valid) // the last look at the tail is slow, no renewal gets through,
			b.target.Set(func() { b.target.Down = nil })
			for offset := range int64(2) { // and meanwhile another copier has the queue, copies two messages, and ends
				m := replicatest.Original(10+offset, 1)
				m.Properties = stored(b.stamps(), m.Properties, 10+offset)
				b.target.Append(b.lane.Topic, b.lane.Target, m)
			}
		}
		b.start(func(r *Replicator) {
			r.timing.renew, r.timing.lockValid, r.timing.settle = valid/4, valid, time.Millisecond
		}).untilCaughtUp()
		if got := b.verify(); got.Compared != 15 || got.Extra+got.Missing > 0 {
			t.Fatalf("verification %+v, wanted 15 copies, each once", got)
		}
	})
}

// The master is down, and its slave, which is read in its place, hasn't got all that was copied
// from it.
func TestLaneWaitsForASlaveThatHasLessThanItsMasterHad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(10, 1)
		run := b.start()
		run.untilCaughtUp()
		run.stop()
		log := b.source.Log(b.lane.Topic, b.lane.Source)
		all := log.Messages
		b.source.Set(func() { b.source.Slave, log.Messages, log.Shown = true, all[:5], 0 })
		run = b.start()
		run.untilProgress("it waits, and says for what", func(p lane.Progress) bool {
			return strings.Contains(p.Waiting,
				"it ends at 5, before the lane's position 10: its master had more, start that")
		})
		b.source.Set(func() { b.source.Slave, log.Messages = false, all })
		run.untilCaughtUp()
		if p := run.progress(); len(p.Faults) > 0 || p.Copied != 0 {
			t.Fatalf("progress %+v, wanted no fault and nothing copied again", p)
		}
	})
}

// Nothing can be sent to a slave, so the lane back, which has run before, doesn't begin there: it
// can't know whether all that it sent has arrived. The lane goes on without.
func TestALaneBothWaysCopiesFromASlave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := tenCopied(t)
		b.write(5, 1)
		b.source.Set(func() {
			b.source.Slave = true
			b.source.OnSend = func(int, rocketmq.BatchRequest) (bool, error) { return false, replicatest.ErrSlave }
		})
		run := b.start()
		run.untilProgress("everything is copied",
			func(p lane.Progress) bool { return p.Copied == 5 && p.CaughtUp == 1 })
		b.source.Set(func() { b.source.Slave, b.source.OnSend = false, nil })
		b.send(b.target, b.lane.Target, "of an application", nil)
		run.untilProgress("the lane back goes on with the master",
			func(p lane.Progress) bool { return p.Back.Copied == 1 })
	})
}
