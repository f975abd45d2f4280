package replicator

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replicatest"
)

func TestBusyBrokerGetsLessUntilItIsQuietAgain(t *testing.T) {
	h := newHealth()
	of, other := brokerOf{replicatest.NewSide("New"), "broker-x"}, brokerOf{replicatest.NewSide("New"), "broker-y"}
	now := time.Now()
	// the second is of the same moment
	for _, after := range []time.Duration{0, halvePause / 2, halvePause, 2 * halvePause} {
		h.trouble(of, "busy", now.Add(after))
	}
	if share, reason := h.share(other, of); share != 1.0/8 || reason != "busy" {
		t.Errorf("share %v, %q after three refusals; wanted an eighth", share, reason)
	}
	if share, _ := h.share(other); share != 1 {
		t.Errorf("the other broker's share is %v, wanted all", share)
	}
	for i := range 100 {
		h.trouble(of, "busy", now.Add(time.Duration(i)*time.Minute))
	}
	if share, _ := h.share(of); share != leastShare {
		t.Errorf("share %v, wanted no less than %v", share, leastShare)
	}
	for range 16 {
		h.quiet(of)
	}
	if share, reason := h.share(of); share != 1 || reason != "" {
		t.Errorf("share %v, %q after it was quiet for long; wanted all", share, reason)
	}
}

func TestWhatBrokersSayBeforeTheyRefuse(t *testing.T) {
	for _, c := range []struct {
		name, value, want string
		reads             bool
	}{
		{"pageCacheLockTimeMills", "500", "writes slowly", false},
		{"pageCacheLockTimeMills", "20", "", false},
		{"sendThreadPoolQueueHeadWaitTimeMills", "150", "lets sends wait", false},
		{"pullThreadPoolQueueHeadWaitTimeMills", "2000", "lets pulls wait", true},
		{"pullThreadPoolQueueHeadWaitTimeMills", "2000", "", false},
		{"commitLogDiskRatio", "0.89", "nearly filled its disk", false},
		{"commitLogDiskRatio", "0.89", "", true}, // reading fills no disk
		{"commitLogDiskRatio", "-1.0", "", false},
		{"commitLogDiskRatio", "", "", false},
	} {
		got := strained(map[string]string{c.name: c.value}, c.reads)
		if got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s=%s: %q, wanted %q", c.name, c.value, got, c.want)
		}
	}
}

func TestLanesAreSlowedWhileTheTargetSaysThatItIsBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newLaneFixture(t)
		b.target.Says = map[string]string{"sendThreadPoolQueueHeadWaitTimeMills": "150"}
		run := b.start(func(r *Replicator) { r.timing.health, r.options.BatchMessages = time.Millisecond, 5 })
		run.untilCaughtUp()
		strained := func() bool {
			source, target := brokerOf{b.source, "broker-a"}, brokerOf{b.target, "broker-x"}
			share, _ := run.replicator.health.share(source, target)
			return share < 1
		}
		b.until("a look found that it is", strained, func() any { return run.progress() })
		b.write(500, 500)
		run.untilProgress("it says why it is slow", func(p lane.Progress) bool {
			return strings.Contains(p.Slowed, "broker broker-x lets sends wait for long")
		})
		b.target.Set(func() { b.target.Says = nil })
		b.until("looks found it quiet", func() bool { return !strained() }, func() any { return run.progress() })
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
