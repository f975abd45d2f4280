package replicator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/throttle"
)

func TestLanesAreSlowedWhileTheTargetSaysThatItIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.Says = map[string]string{"sendThreadPoolQueueHeadWaitTimeMills": "150"}
		run := b.start(func(r *Replicator) { r.timing.health, r.options.BatchMessages = time.Millisecond, 5 })
		run.untilCaughtUp()
		strained := func() bool {
			source, target := throttle.Broker{
				Side: b.source,
				Name: "broker-a",
			}, throttle.Broker{
				Side: b.target,
				Name: "broker-x",
			}
			share, _ := run.replicator.health.Share(source, target)
			return share < 1
		}
		b.until("a look found that it is", strained, func() any { return run.progress() })
		b.write(500, 500)
		run.untilProgress("it says why it is slow", func(p lane.Progress) bool {
			return strings.Contains(p.Slowed, "broker broker-x lets sends wait for long")
		})
		b.target.Set(func() { b.target.Says = nil })
		b.until("looks found it healthy", func() bool { return !strained() }, func() any { return run.progress() })
		run.untilCaughtUp()
		run.untilProgress("nothing holds it back", func(p lane.Progress) bool { return p.Slowed == "" })
		b.wantCopies(0, 500)
	})
}

func TestBusyAnswersSlowLanes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.write(300, 10)
		b.target.OnSend = func(n int, _ rocketmq.BatchRequest) (bool, error) {
			if n%3 == 0 {
				return false, &remoting.Error{
					Server: "broker-x",
					Code:   remoting.SystemBusy,
					Remark: "[TIMEOUT_CLEAN_QUEUE]broker busy",
				}
			}
			return true, nil
		}
		run := b.start(func(r *Replicator) { r.options.BatchMessages = 5 })
		run.untilProgress("it says why it is slow", func(p lane.Progress) bool {
			return strings.Contains(p.Slowed, "broker broker-x answers that it is busy")
		})
		run.untilCaughtUp()
		b.wantCopies(0, 300)
	})
}
