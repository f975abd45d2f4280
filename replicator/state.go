package replicator

import (
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// sharedState is what the copying loop, maintenance, the reverse lane and the reporter tell one
// another about a lane. Any goroutine may use its methods.
type sharedState struct {
	mu      sync.Mutex
	now     laneState
	changed atomic.Bool   // there may be something to commit
	wake    chan struct{} // wakes the copying loop while it rests
}

// laneState is how far a lane is. The copying loop writes all of it; comments say which fields
// others write, too.
type laneState struct {
	next, tail int64 // source offset to copy next, target position after the newest copy
	started    bool  // next and tail have been found
	// of the source queue, as last seen; maintenance writes it too, while the lane rests
	end             int64
	copied, skipped int64
	// the first offset that isn't counted as skipped: a message may be judged more than once
	skippedTo int64
	bytes     int64         // of bodies and properties copied
	batches   int64         // that carried them
	sending   time.Duration // how long these took altogether
	stored    int64         // when the newest message copied was stored on the source, in milliseconds
	slowed    string        // why the lane is held back
	waiting   string        // why the lane doesn't copy
	resting   bool          // it waits until maintenance has looked at the end of its queue
	fault     *lane.Fault

	lock       lockState
	committed  committed
	reverse    reverseWrites
	stragglers int64 // messages that applications wrote after they had left the queue; of maintenance
}

// lockState is the lock on the target queue. The copying loop takes the lock. Maintenance renews
// it, and says when it may be lost.
type lockState struct {
	renewed time.Time // when the last successful renewal began; zero without the lock
	doubted bool      // the target opened its store anew: the lock and the queue's end may have changed
}

// held reports whether the lock can't have lapsed yet.
func (s lockState) held(valid time.Duration) bool {
	return !s.renewed.IsZero() && time.Since(s.renewed) < valid
}

// committed is what was committed for the lanes' group on both sides. Maintenance writes it, and
// the copying loop when it begins and ends.
type committed struct {
	saved  saved
	at     time.Time
	times  int    // commits since brokers last failed
	failed string // why the positions can't be committed
}

// saved is a pair of positions: on the queue that the lane reads, and on the one that it writes.
type saved struct{ next, tail int64 }

// reverseWrites is what the reverse lane has written. The copying loop of the reverse lane adds to
// it, and the lane's own removes what it has skipped.
type reverseWrites struct {
	runs []written // from the lane's next offset on
	last time.Time // when it last wrote
}

// giveUp counts the offsets [from, to) as skipped, each once.
func (s *laneState) giveUp(from, to int64) {
	s.skipped += max(0, to-max(from, s.skippedTo))
	s.skippedTo = max(s.skippedTo, to)
}

func (s laneState) lag() int64     { return max(0, s.end-s.next) }
func (s laneState) caughtUp() bool { return s.started && s.lag() == 0 }

func (s *sharedState) snapshot() laneState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.now
}

// change changes the state by f.
func (s *sharedState) change(f func(now *laneState)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(&s.now)
	s.changed.Store(true)
}

// changeIf changes the state by f, which reports whether there may be something to commit.
func (s *sharedState) changeIf(f func(now *laneState) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if f(&s.now) {
		s.changed.Store(true)
	}
}

// written is a run of copies that the reverse lane has stored where this lane reads. They need not
// be read.
type written struct {
	from, to int64 // positions
	newest   int64 // stamped offset of the last one
	origin   replica.Origin
}

// maxWritten bounds the runs that are remembered. Forgotten ones are read, and known by stamps.
const maxWritten = 1024

// learn adds what the reverse lane has written.
func (s *sharedState) learn(w written) {
	s.change(func(now *laneState) {
		runs := now.reverse.runs
		if n := len(runs); n > 0 && runs[n-1].to == w.from {
			runs[n-1].to, runs[n-1].newest = w.to, w.newest
		} else {
			runs = append(runs, w)
		}
		if len(runs) > maxWritten {
			runs = runs[1:]
		}
		now.reverse = reverseWrites{runs, time.Now()}
	})
	s.rouse()
}

// rouse wakes a lane that rests.
func (s *sharedState) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// readable is the end of what the lane must read now: of the queue, or of the part before copies of
// the reverse lane.
func (s laneState) readable() int64 {
	if len(s.reverse.runs) > 0 && s.reverse.runs[0].from >= s.next {
		return min(s.end, s.reverse.runs[0].from)
	}
	return s.end
}
