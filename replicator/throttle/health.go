package throttle

import (
	"math"
	"strconv"
	"sync"
	"time"

	"rocketshift/replicator/replica"
)

// Health holds lanes back while brokers are busy: the applications of both sides come first. Each
// broker has its own share of full speed. An overload halves it, and each look that finds none
// gives some of it back. Both directions use the same shares.
type Health struct {
	mu      sync.Mutex
	brokers map[Broker]*strain
}

// Broker is a broker of one side.
type Broker struct {
	Side replica.Side
	Name string
}

// strain is how far a broker is overloaded.
type strain struct {
	share  float64 // of full speed
	reason string
	halved time.Time
}

const (
	leastShare = 1.0 / 16 // so that lanes always make progress
	shareBack  = 1.0 / 16 // given back by a look that finds nothing wrong: full speed again after a minute or so
	// halvePause is the least time between two halvings: a thousand lanes that are refused at the
	// same moment count once.
	halvePause = time.Second
	// leastSend is the least time that a batch counts for: the answer to a small batch says little
	// about the broker.
	leastSend = 5 * time.Millisecond
	// mostPause bounds how long a lane is held back at once.
	mostPause = 5 * time.Second
)

// NewHealth is the health of brokers of which nothing is known yet.
func NewHealth() *Health { return &Health{brokers: map[Broker]*strain{}} }

// Trouble halves the share of a broker, for that reason.
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

// Healthy gives a broker some of its share back.
func (h *Health) Healthy(of Broker) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.brokers[of]; s != nil {
		if s.share += shareBack; s.share >= 1 {
			delete(h.brokers, of)
		}
	}
}

// Share is the smallest share of these brokers, from 0 to 1, and the reason if it is less than 1.
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

// Pause is how long a lane must wait so that these brokers can do other things: at a share of a
// quarter, three times as long as its last batch took.
func (h *Health) Pause(took time.Duration, all ...Broker) time.Duration {
	share, _ := h.Share(all...)
	if share >= 1 {
		return 0
	}
	pause := time.Duration(float64(max(took, leastSend)) * (1/share - 1))
	return min(pause, mostPause)
}

// Bounds of what brokers tell before they refuse. They drop sends that have waited for 200 ms, and
// pulls that have waited for 5 s. They refuse all sends when one has held the commit log for 1 s,
// or when the disk is 90 % full.
const (
	sendWaits  = 100.0 // milliseconds
	pullWaits  = 1000.0
	pageWaits  = 300.0
	diskFilled = 0.88
)

// Strained says what a broker has too much of, by its runtime statistics; it is empty if there is
// nothing. reads is set for a broker that lanes read from. The names are the same from 4.9.7 to
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
	case of("pageCacheLockTimeMills") >= pageWaits && of("pageCacheLockTimeMills") < 1e7: // larger ones are not measured
		return "writes slowly to its disk (pageCacheLockTimeMills)"
	case of("sendThreadPoolQueueHeadWaitTimeMills") >= sendWaits:
		return "lets sends wait for long (sendThreadPoolQueueHeadWaitTimeMills)"
	case !reads && of("commitLogDiskRatio") >= diskFilled:
		return "has nearly filled its disk (commitLogDiskRatio)"
	}
	return ""
}
