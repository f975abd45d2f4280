package replicator

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"sync"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/replica"
)

// health holds lanes back while brokers say that they have too much to do: both sides' applications
// come first. Each broker has its own share of full speed. Trouble halves it, every quiet look
// gives some of it back. Both directions share what is known.
type health struct {
	mu      sync.Mutex
	brokers map[brokerOf]*strain
}

type brokerOf struct {
	side replica.Side
	name string
}

// strain is how much a broker has to do.
type strain struct {
	share  float64 // of full speed
	reason string
	halved time.Time
}

const (
	leastShare = 1.0 / 16 // so that lanes always get on
	shareBack  = 1.0 / 16 // given back by a quiet look: full speed again after a minute or so
	// halvePause keeps a thousand lanes that are refused at the same moment from counting a
	// thousand times.
	halvePause = time.Second
	// leastSend is what a batch counts at least: the answer to a small one says little of a
	// broker's work.
	leastSend = 5 * time.Millisecond
	// mostPause bounds how long a lane is held back at once.
	mostPause = 5 * time.Second
)

func newHealth() *health { return &health{brokers: map[brokerOf]*strain{}} }

// trouble takes note of why a broker should get less.
func (h *health) trouble(of brokerOf, reason string, now time.Time) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.brokers[of]
	if s == nil {
		s = &strain{share: 1}
		h.brokers[of] = s
	}
	s.reason = reason
	if now.Sub(s.halved) >= halvePause {
		s.share, s.halved = max(leastShare, s.share/2), now
	}
}

// quiet takes note of a look that found nothing wrong.
func (h *health) quiet(of brokerOf) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.brokers[of]; s != nil {
		if s.share += shareBack; s.share >= 1 {
			delete(h.brokers, of)
		}
	}
}

// share is how fast lanes of these brokers may be, and why not at full speed.
func (h *health) share(all ...brokerOf) (share float64, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	share = 1
	for _, of := range all {
		if s := h.brokers[of]; s != nil && s.share < share {
			share, reason = s.share, s.reason
		}
	}
	return share, reason
}

func (l *laneWorker) ends() (source, target brokerOf) {
	return brokerOf{l.source, l.Source.Broker}, brokerOf{l.target, l.Target.Broker}
}

// refusedAsBusy takes note of a broker's answer that it has too much to do.
func (l *laneWorker) refusedAsBusy(of brokerOf, err error) {
	if code := remoting.CodeOf(err); code == remoting.SystemBusy || code == remoting.FlowControl {
		l.health.trouble(of, fmt.Sprintf("broker %s answers that it is busy", of.name), time.Now())
	}
}

// spare waits as long as the brokers need to do other things: with a share of a quarter, three
// times as long as the last batch took.
func (l *laneWorker) spare(ctx context.Context) error {
	source, target := l.ends()
	share, _ := l.health.share(source, target)
	if share >= 1 {
		return nil
	}
	pause := time.Duration(float64(max(l.took, leastSend)) * (1/share - 1))
	return sleep.For(ctx, min(pause, mostPause))
}

// lookAtHealth asks a broker how it is, and returns what it says. Who may not ask, or gets no
// answer, learns of trouble by refusals alone.
func (c *maintenance) lookAtHealth(of brokerOf, reads bool) (runtime map[string]string) {
	asking, cancel := context.WithTimeout(c.ctx, c.timing.finish)
	defer cancel()
	runtime, err := of.side.Runtime(asking, of.name)
	if c.ctx.Err() != nil {
		return nil
	}
	if reason := strained(runtime, reads); err == nil && reason != "" {
		c.health.trouble(of, fmt.Sprintf("broker %s %s", of.name, reason), time.Now())
		return runtime
	}
	c.health.quiet(of)
	return runtime
}

// What brokers say of themselves before they refuse. They drop sends that waited for 200 ms and
// pulls that waited for 5 s, refuse all sends when one has held the commit log for 1 s, and when
// the disk is 90 % full.
const (
	sendWaits  = 100.0 // milliseconds
	pullWaits  = 1000.0
	pageWaits  = 300.0
	diskFilled = 0.88
)

// strained says what a broker has too much of, or nothing. The names are the same from 4.9.7 to
// 5.3.3.
func strained(runtime map[string]string, reads bool) string {
	of := func(name string) float64 {
		n, err := strconv.ParseFloat(runtime[name], 64)
		if err != nil || math.IsNaN(n) {
			return 0
		}
		return n
	}
	switch {
	case reads && of("pullThreadPoolQueueHeadWaitTimeMills") >= pullWaits:
		return "lets pulls wait for long (pullThreadPoolQueueHeadWaitTimeMills)"
	case of("pageCacheLockTimeMills") >= pageWaits && of("pageCacheLockTimeMills") < 1e7: // larger ones are no measurements
		return "writes slowly to its disk (pageCacheLockTimeMills)"
	case of("sendThreadPoolQueueHeadWaitTimeMills") >= sendWaits:
		return "lets sends wait for long (sendThreadPoolQueueHeadWaitTimeMills)"
	case !reads && of("commitLogDiskRatio") >= diskFilled:
		return "has nearly filled its disk (commitLogDiskRatio)"
	}
	return ""
}
