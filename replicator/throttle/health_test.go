package throttle

import (
	"strings"
	"testing"
	"time"

	"rocketshift/replicator/replicatest"
)

func TestBusyBrokerGetsLessUntilItIsHealthyAgain(t *testing.T) {
	h := NewHealth()
	of, other := Broker{replicatest.NewSide("New"), "broker-x"}, Broker{replicatest.NewSide("New"), "broker-y"}
	now := time.Now()
	// the second is of the same moment
	for _, after := range []time.Duration{0, halvePause / 2, halvePause, 2 * halvePause} {
		h.Trouble(of, "busy", now.Add(after))
	}
	if share, reason := h.Share(other, of); share != 1.0/8 || reason != "busy" {
		t.Errorf("share %v, %q after three refusals; wanted an eighth", share, reason)
	}
	if share, _ := h.Share(other); share != 1 {
		t.Errorf("the other broker's share is %v, wanted all", share)
	}
	for i := range 100 {
		h.Trouble(of, "busy", now.Add(time.Duration(i)*time.Minute))
	}
	if share, _ := h.Share(of); share != leastShare {
		t.Errorf("share %v, wanted no less than %v", share, leastShare)
	}
	for range 16 {
		h.Healthy(of)
	}
	if share, reason := h.Share(of); share != 1 || reason != "" {
		t.Errorf("share %v, %q after it was healthy for long; wanted all", share, reason)
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
		got := Strained(map[string]string{c.name: c.value}, c.reads)
		if got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s=%s: %q, wanted %q", c.name, c.value, got, c.want)
		}
	}
}
