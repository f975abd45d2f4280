package throttle

import (
	"math"
	"strconv"
	"sync"
	"time"

	"rocketshift/replicator/replica"
)

// Health holds lanes back while brokers say that they have too much to do: both sides' applications
// come first. Each broker has its own share of full speed. Trouble halves it, each look that
// finds nothing wrong gives some of it back. Both directions share what is known.
type Health struct {
	mu      sync.Mutex
	brokers map[Broker]*strain
}

// Broker is a broker of one side.
type Broker struct {
	Side replica.Side
	Name string
}

// strain is how much a broker has to do.
type strain struct {
	share  float64 // of full speed
	reason string
	halved time.Time
}

const (
	leastShare = 1.0 / 16 // so that lanes always get on
	shareBack  = 1.0 / 16 // given back by a look that finds nothing wrong: full speed again after a minute or so
	// halvePause keeps a thousand lanes that are refused at the same moment from counting a
	// thousand times.
	halvePause = time.Second
	// leastSend is what a batch counts at least: the answer to a small one says little of a
	// broker's work.
	leastSend = 5 * time.Millisecond
	// mostPause bounds how long a lane is held back at once.
	mostPause = 5 * time.Second
)

// NewHealth is the health of brokers of which nothing is known yet.
func NewHealth() *Health { return &Health{brokers: map[Broker]*strain{}} }

// Trouble takes note of why a broker should get less.
func (h *Health) Trouble(of Broker, reason string, now time.Time) {
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

// Healthy takes note of a look that found nothing wrong.
func (h *Health) Healthy(of Broker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.brokers[of]; s != nil {
		if s.share += shareBack; s.share >= 1 {
			delete(h.brokers, of)
		}
	}
}

// Share is how fast lanes of these brokers may be, and why not at full speed.
func (h *Health) Share(all ...Broker) (share float64, reason string) {
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

// Pause is how long a lane must wait so that these brokers can do other things: with a share of a
// quarter, three times as long as its last batch took.
func (h *Health) Pause(took time.Duration, all ...Broker) time.Duration {
	share, _ := h.Share(all...)
	if share >= 1 {
		return 0
	}
	pause := time.Duration(float64(max(took, leastSend)) * (1/share - 1))
	return min(pause, mostPause)
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

// Strained says what a broker has too much of, or nothing. The names are the same from 4.9.7 to
// 5.3.3.
func Strained(runtime map[string]string, reads bool) string {
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
