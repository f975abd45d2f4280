package replicator

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/throttle"
)

// Options are the settings of a Replicator.
type Options struct {
	replica.Names
	Holder        string        // who holds the lanes' locks; unique per running activity
	BatchMessages int           // most messages in a batch; 300 if absent
	BatchBytes    int           // most bytes in a batch of several messages; 1 MiB if absent
	MemoryBytes   int64         // of messages on their way, for all lanes together; 256 MiB if absent
	Answers       []lane.Answer // of persons to faults of earlier runs: what they skip stays skipped
	BothWays      bool          // messages that applications write on the target are copied to the source too
	// born times of copies are always exact; a lane with a lag is then as slow as its smallest
	// batches
	ExactBorn bool
}

// timing is when lanes do what. Tests use shorter times.
type timing struct {
	pullWait    time.Duration // how long a broker may hold a pull at the end of a queue
	sendTimeout time.Duration // after which a send is ambiguous
	finish      time.Duration // how long a send in flight may take when the run ends
	renew       time.Duration // age of the lock when it is renewed
	// age of the last renewal at which sending stops; with sendTimeout it is less than the 60 s
	// after which locks lapse
	lockValid time.Duration
	// age of what the lane knows of its lock and tail at which it asks again before it sends; no
	// broker restarts in less
	rest       time.Duration
	settle     time.Duration // how long a tail must stay unchanged
	commit     time.Duration // between commits of a lane that copies
	caughtUp   time.Duration // between commits of a lane that has just caught up
	checkpoint time.Duration // limit of the last commit and the unlocking
	retryFirst time.Duration
	retryMax   time.Duration
	patience   time.Duration // how long a suspicion may last before it is a fault
	report     time.Duration
	homeRest   time.Duration // how long a lane waits for messages by pulls after the last one of an application
	look       time.Duration // between looks at the ends of queues whose lanes rest
	straggle   time.Duration // between questions whether applications have left a queue that they write to
	health     time.Duration // between looks at the health of a broker
}

func usualTiming() timing {
	return timing{
		pullWait: 30 * time.Second, sendTimeout: 10 * time.Second, finish: 2 * time.Second,
		renew: 20 * time.Second, lockValid: 45 * time.Second, rest: 2 * time.Second, settle: time.Second,
		commit: time.Second, caughtUp: 200 * time.Millisecond, checkpoint: 5 * time.Second,
		retryFirst: 100 * time.Millisecond, retryMax: 3 * time.Second, patience: 10 * time.Second,
		report:   time.Second,
		homeRest: 30 * time.Second, look: time.Second, straggle: 4 * time.Second, health: 5 * time.Second,
	}
}

// direction is one of the two ways in which messages are copied: what all its lanes have in common.
// It doesn't change while they run.
type direction struct {
	source, target replica.Side // of this direction: those of the reverse one are exchanged
	options        Options
	timing         timing
	pacer          *throttle.Pacer // these three are the same in both directions
	health         *throttle.Health
	memory         *throttle.Memory
}

// reverse is the other direction.
func (d *direction) reverse() *direction {
	reverse := *d
	reverse.source, reverse.target = d.target, d.source
	reverse.options.Names = d.options.Back()
	return &reverse
}

// Replicator runs lanes from a source to a target.
type Replicator struct {
	direction

	mu   sync.Mutex
	work *work // while Run copies
}

// NewReplicator prepares lanes between two clusters.
func NewReplicator(source, target *rocketmq.Cluster, o Options) *Replicator {
	return newReplicator(replica.NewBrokers(lane.SideSource, source), replica.NewBrokers(lane.SideTarget, target), o)
}

func newReplicator(source, target replica.Side, o Options) *Replicator {
	if o.BatchMessages <= 0 {
		o.BatchMessages = 300
	}
	if o.BatchBytes <= 0 {
		o.BatchBytes = 1 << 20
	}
	if o.MemoryBytes <= 0 {
		o.MemoryBytes = 256 << 20
	}
	return &Replicator{direction: direction{
		source:  source,
		target:  target,
		options: o,
		timing:  usualTiming(),
		pacer:   throttle.NewPacer(),
		health:  throttle.NewHealth(),
		memory:  throttle.NewMemory(o.MemoryBytes),
	}}
}

// Run copies until the context ends, then commits what it has copied, gives the locks back and
// returns nil. Faults stop single lanes and are reported as progress. It reports about once a
// second, and at the end.
func (r *Replicator) Run(ctx context.Context, lanes []lane.Lane, report func(lane.Progress)) error {
	if err := r.options.Check(); err != nil {
		return err
	}
	if r.options.Holder == "" {
		return errors.New("replicator: the holder of the lanes' locks must be named")
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	w := newWork(ctx, &r.direction)
	if err := r.begin(w, lanes); err != nil {
		stop()
		w.running.Wait()
		return err
	}
	tick := time.NewTicker(r.timing.report)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			report(w.progress())
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	r.work = nil // nothing is added any more
	r.mu.Unlock()
	w.running.Wait()
	report(w.progress())
	return nil
}

// begin starts the lanes of a run.
func (r *Replicator) begin(w *work, lanes []lane.Lane) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.work != nil {
		return errors.New("replicator: it runs already")
	}
	r.work = w
	if left := w.add(lanes); len(left) > 0 {
		r.work = nil
		return fmt.Errorf("replicator: %s: one of its queues has another lane", left[0])
	}
	return nil
}

// Add starts more lanes while Run copies, such as those of a new topic, or of queues that a topic
// got. Lanes that run already are left alone. A lane that shares a queue with another one isn't
// started, and is returned.
func (r *Replicator) Add(lanes []lane.Lane) (left []lane.Lane, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.work == nil {
		return nil, errors.New("replicator: it doesn't run")
	}
	return r.work.add(lanes), nil
}

// SetRate bounds all lanes together, or those of one topic where it is named. It holds at once,
// also while lanes run.
func (r *Replicator) SetRate(topic string, to lane.Rate) { r.pacer.Set(topic, to) }
