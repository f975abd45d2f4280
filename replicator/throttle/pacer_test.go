package throttle

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"rocketshift/replicator/lane"
)

func TestPacerLetsPassWhatTheRateAllows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := NewPacer()
		p.Set("", lane.Rate{Bytes: 1e6})
		begin := time.Now()
		if err := p.Wait(context.Background(), "any", 5, 300_000); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin).Round(time.Millisecond); took < 200*time.Millisecond ||
			took > 300*time.Millisecond {
			t.Errorf(
				"300,000 bytes at 1,000,000 a second passed in %s, wanted 300 ms, less the 100 ms of what "+
					"may pass at once",
				took,
			)
		}
		p.Set("", lane.Rate{})
		if reason := p.Slowed("any"); reason != "" {
			t.Errorf("no rate is set, and lanes are held back by %q", reason)
		}
		cancelled, cancel := context.WithCancel(context.Background())
		cancel()
		p.Set("one", lane.Rate{Messages: 1})
		if err := p.Wait(cancelled, "one", 100, 1); err == nil {
			t.Error("the wait went on although its context had ended")
		}
	})
}
