package replicator

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v4"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// strikes is how often in a row a suspicion must be seen to be a fault.
const strikes = 3

// laneWorker is one lane at work. Its run goroutine alone copies; the state is shared with
// maintenance, the reverse lane and the reporter.
type laneWorker struct {
	lane.Lane
	*Replicator
	replica.Stamper
	shared *maintenance

	ready     bool      // next and tail are known to be right, and nothing is in flight
	unsure    bool      // a send is without an answer
	lapses    int       // how often the lock was too old to be relied on
	jumped    bool      // behind what the twin has written, which the queue may not show yet
	goodPulls int       // answers to pulls so far with nothing wrong about them
	sure      time.Time // when the tail was last seen to be the lane's own: by reading it, or by a send

	back       bool                     // the lane is a reverse one
	reverse    *laneWorker              // the lane of the other direction; nil if there is none
	sends      sendCounter              // the batches it has sent
	wake       chan struct{}            // something that the reverse lane has written was learned
	began      chan struct{}            // closed when a reverse lane has its place, or gives up
	begun      func()                   // closes it
	seen       map[replica.Origin]int64 // newest stamped offsets on the queue that the lane reads
	answered   chan lane.Answer         // to the lane's fault
	skips      []lane.Span              // offsets that a person gave up
	restarts   int                      // how often a person let the lane begin anew
	took       time.Duration            // how long the last batch was on its way
	batchBytes int                      // most bytes of a batch of several messages
	single     bool                     // each message is sent alone
	untold     bool                     // whether the broker takes batches is learnt by its answers
	trial      bool                     // a message is sent alone to learn it
	// up to this offset messages are sent one by one, to find the one that the target refuses
	narrow  int64
	lastOwn time.Time // when it last read an application's own message
	writers writers   // who wrote those

	batch  []rocketmq.BatchMessage // memory of the last batch
	stamps []byte                  // memory of its stamps

	mu      sync.Mutex
	state   laneState
	changed atomic.Bool // the state may hold something to commit
}

// laneState is how far a lane is.
type laneState struct {
	next, tail      int64 // source offset to copy next, target position behind the newest copy
	end             int64 // of the source queue, as last seen
	copied, skipped int64
	// offset up to which what was given up is counted: a message may be judged more than once
	skippedTo   int64
	bytes       int64         // of bodies and properties copied
	batches     int64         // that carried them
	sending     time.Duration // how long these took altogether
	stored      int64         // when the newest message copied was stored on the source, in milliseconds
	slowed      string        // why the lane is held back
	written     []written     // what the reverse lane has written from next on
	twinWrote   time.Time     // when it last did
	stragglers  int64         // messages that applications wrote where the lane reads after they had left it
	started     bool          // next and tail have been found
	renewed     time.Time     // when the last successful renewal of the lock began; zero without the lock
	doubted     bool          // the target's store was opened anew: its end and the lock may not be what they were
	resting     bool          // it waits for the end of its queue to be looked at
	saved       saved
	savedAt     time.Time
	commits     int    // since it reached the brokers
	waiting     string // why the lane doesn't copy
	uncommitted string // why its positions can't be committed
	fault       *lane.Fault
}

// saved is what the lanes' group has as positions on both sides.
type saved struct{ next, tail int64 }

// giveUp counts the offsets [from, to), each once.
func (s *laneState) giveUp(from, to int64) {
	s.skipped += max(0, to-max(from, s.skippedTo))
	s.skippedTo = max(s.skippedTo, to)
}

func (s laneState) lag() int64     { return max(0, s.end-s.next) }
func (s laneState) caughtUp() bool { return s.started && s.lag() == 0 }

func newLaneWorker(r *Replicator, one lane.Lane, back bool) *laneWorker {
	l := &laneWorker{
		Lane: one, back: back, Replicator: r, Stamper: replica.NewStamper(r.options.Names, one),
		seen: map[replica.Origin]int64{}, wake: make(chan struct{}, 1), began: make(chan struct{}),
		answered: make(chan lane.Answer, 1),
	}
	for _, a := range r.options.Answers {
		if a.Of(one, back) {
			l.decided(a)
		}
	}
	l.begun = sync.OnceFunc(func() { close(l.began) })
	return l
}

func (l *laneWorker) snapshot() laneState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

func (l *laneWorker) change(f func(s *laneState)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.state)
	l.changed.Store(true)
}

// run copies until the context ends, and leaves positions and locks in order.
func (l *laneWorker) run(ctx context.Context) {
	l.repeat(ctx)
	l.begun()
	l.checkpoint(context.WithoutCancel(ctx))
}

// repeat works until the context ends. A fault waits for its answer; everything else that goes
// wrong is tried again.
func (l *laneWorker) repeat(ctx context.Context) {
	pause := backoff.NewExponentialBackOff(backoff.WithInitialInterval(l.timing.retryFirst),
		backoff.WithMaxInterval(l.timing.retryMax), backoff.WithMaxElapsedTime(0))
	suspect, sound := 0, 0
	var since time.Time
	for ctx.Err() == nil {
		before := l.snapshot().copied
		err := l.work(ctx)
		if ctx.Err() != nil {
			return
		}
		if l.snapshot().copied > before {
			pause.Reset()
			suspect = 0
		}
		var maybe suspicion
		if errors.As(err, &maybe) {
			if maybe.Type == lane.SourceReset &&
				// in between all was well: brokers show messages a little after they acknowledged
				// them
				l.goodPulls > sound {
				suspect, sound = 0, l.goodPulls
			}
			if suspect++; suspect == 1 {
				since = time.Now()
			}
			if suspect >= strikes && time.Since(since) >= l.timing.patience {
				err = maybe.Fault
			}
		}
		if fault, yes := isFault(err); yes {
			if l.back {
				fault.Side = lane.SideTarget
			}
			if !l.restart(fault) && !l.awaitAnswer(ctx, fault) {
				return
			}
			pause.Reset()
			suspect = 0
			continue
		}
		l.waitFor(err)
		_ = sleep.For(ctx, pause.NextBackOff())
	}
}

// awaitAnswer keeps the lane until a person says what to do about a fault. It keeps its lock
// meanwhile: nobody is to go on without the answer.
func (l *laneWorker) awaitAnswer(ctx context.Context, fault *lane.Fault) bool {
	l.change(func(s *laneState) { s.fault, s.waiting = fault, "" })
	l.begun()
	select {
	case <-ctx.Done():
		return false
	case a := <-l.answered:
		l.decided(a)
		l.ready = false
		l.change(func(s *laneState) { s.fault = nil })
		l.restart(fault)
		return true
	}
}

// decided keeps what a person decided.
func (l *laneWorker) decided(a lane.Answer) {
	switch a.Action {
	case lane.Skip:
		l.skips = append(l.skips, lane.Span{From: a.From, To: a.To})
	case lane.Restart:
		l.restarts++
		l.skips = nil // they were offsets of the old topic
	}
}

// waitFor says what the lane waits for, and forgets what it can't rely on any more: brokers that
// were killed have forgotten who held their locks, and the last commits.
func (l *laneWorker) waitFor(err error) {
	var lost unsure
	if errors.As(err, &lost) {
		l.ready, l.unsure = false, true
	}
	l.sure = time.Time{}
	l.change(func(s *laneState) { s.waiting, s.commits = err.Error(), 0 })
}

// work copies until something goes wrong.
func (l *laneWorker) work(ctx context.Context) error {
	if err := l.ensureGroups(ctx); err != nil {
		return err
	}
	if l.reverse != nil && !l.back {
		l.awaitTwin(ctx)
	}
	for {
		if err := l.hold(ctx); err != nil {
			return err
		}
		if !l.ready {
			// On a stack of its own, which goes when it ends: ten thousand lanes that wait need
			// only little ones.
			found := make(chan error)
			go func() { found <- l.resume(ctx) }()
			if err := <-found; err != nil {
				return err
			}
		}
		l.jump()
		if err := l.rest(ctx); err != nil || ctx.Err() != nil {
			return err
		}
		if !l.ready {
			continue
		}
		messages, memory, err := l.pull(ctx)
		if err != nil {
			return err
		}
		if err := l.stream(ctx, messages, memory); err != nil {
			return err
		}
		l.change(func(s *laneState) { s.waiting, s.slowed = "", "" }) // at its end nothing holds it back
	}
}

// awaitTwin waits until the reverse lane knows where the first copy lies, and says so when that
// takes long.
func (l *laneWorker) awaitTwin(ctx context.Context) {
	look := time.NewTicker(time.Second)
	defer look.Stop()
	for {
		select {
		case <-l.reverse.began:
			return
		case <-ctx.Done():
			return
		case <-look.C:
			if l.source.FromSlave(ctx, l.Source.Broker) {
				return // it can't begin there; whenever it does, the copies tell it where
			}
			if reason := l.reverse.snapshot().waiting; reason != "" {
				l.change(func(s *laneState) { s.waiting = "the lane back must find its place first: " + reason })
			}
		}
	}
}

func (l *laneWorker) ensureGroups(ctx context.Context) error {
	if err := l.source.EnsureGroup(ctx, l.Source.Broker, l.options.Group); err != nil {
		return err
	}
	return l.target.EnsureGroup(ctx, l.Target.Broker, l.options.Group)
}
