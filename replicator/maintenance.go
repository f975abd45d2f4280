package replicator

import (
	"context"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/replica"
)

// maintenance does for all lanes of one direction what would cost too much if each of ten thousand
// idle lanes did it: locks are renewed by the thousand, and only lanes that moved commit.
type maintenance struct {
	*Replicator
	ctx      context.Context // ends with the run
	all      *sync.WaitGroup // of the run
	renewing sync.WaitGroup

	mu     sync.Mutex
	tasks  map[any]*periodicTask
	starts map[string]chan struct{}   // per broker: how many lanes may find their place at once
	limits map[string]replica.Batches // per broker
	boots  map[string]string          // per target broker: when its store was opened, as it says itself

	stragglers stragglers
}

const (
	locksTogether   = 1000 // in one request: about 60 KB
	commitsTogether = 8    // lanes of one pair of brokers that commit at the same time
	startsTogether  = 256  // lanes of one target broker that find their place at the same time
)

func newMaintenance(ctx context.Context, r *Replicator, all *sync.WaitGroup) *maintenance {
	return &maintenance{
		Replicator: r,
		ctx:        ctx,
		all:        all,
		tasks:      map[any]*periodicTask{},
		starts:     map[string]chan struct{}{},
		limits:     map[string]replica.Batches{},
		boots:      map[string]string{},
	}
}

// periodicTask is what is done again and again for lanes that have a broker, or a topic, in common.
// Lanes only join.
type periodicTask struct {
	mu    sync.Mutex
	lanes []*laneWorker
}

func (d *periodicTask) of() []*laneWorker {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.lanes
}

// What periodic tasks are known by.
type (
	locksOf   struct{ broker string }
	commitsOf struct{ source, target string }
	endsOf    struct{ broker, topic string }
	writersOf struct{ broker string }
	healthOf  struct {
		broker string
		reads  bool
	}
)

// join makes maintenance serve a lane.
func (c *maintenance) join(l *laneWorker) {
	l.shared = c
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.starts[l.Target.Broker] == nil {
		c.starts[l.Target.Broker] = make(chan struct{}, startsTogether)
	}
	c.serve(locksOf{l.Target.Broker}, l, &c.renewing, c.timing.renew/4,
		func(lanes []*laneWorker) { c.renewLocks(l.Target.Broker, lanes) })
	source, target := l.ends()
	c.serve(healthOf{source.name, true}, l, c.all, c.timing.health,
		func([]*laneWorker) { c.lookAtHealth(source, true) })
	c.serve(healthOf{target.name, false}, l, c.all, c.timing.health, func(lanes []*laneWorker) {
		c.lookAtBoot(target.name, c.lookAtHealth(target, false), lanes)
	})
	c.serve(commitsOf{l.Source.Broker, l.Target.Broker}, l, c.all, c.timing.caughtUp, c.commitMoved)
	c.serve(writersOf{l.Source.Broker}, l, c.all, c.timing.straggle/4, c.lookForStragglers)
	if l.reverse != nil {
		c.serve(endsOf{l.Source.Broker, l.Topic}, l, c.all, c.timing.look,
			func(lanes []*laneWorker) { c.lookAtEnds(l.Source.Broker, l.Topic, lanes) })
	}
}

// serve adds a lane to a periodic task, which begins with its first lane.
func (c *maintenance) serve(
	name any,
	l *laneWorker,
	running *sync.WaitGroup,
	pause time.Duration,
	do func(lanes []*laneWorker),
) {
	d := c.tasks[name]
	if d == nil {
		d = &periodicTask{}
		c.tasks[name] = d
		running.Go(func() { c.every(pause, func() { do(d.of()) }) })
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.lanes = append(d.lanes, l)
}

// turn is where a lane queues up before it finds its place.
func (c *maintenance) turn(l *laneWorker) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.starts[l.Target.Broker]
}

// lookAtBoot has all lanes of a target broker read their queues' ends again when its store was
// opened anew: a slave that takes over, or a broker that comes back after a loss, may lack the last
// copies, and grants locks as if nothing had happened.
func (c *maintenance) lookAtBoot(broker string, runtime map[string]string, lanes []*laneWorker) {
	boot := runtime["bootTimestamp"]
	if boot == "" {
		return
	}
	c.mu.Lock()
	before := c.boots[broker]
	c.boots[broker] = boot
	c.mu.Unlock()
	if before == "" || before == boot {
		return
	}
	for _, l := range lanes {
		l.change(func(s *laneState) { s.doubted = true })
		l.rouse()
	}
}

// batches says which ones to send to a broker: as long as is set, or less where the broker takes
// less. It is asked once.
func (c *maintenance) batches(ctx context.Context, broker string) (replica.Batches, error) {
	c.mu.Lock()
	limit, known := c.limits[broker]
	c.mu.Unlock()
	if !known {
		var err error
		if limit, err = c.target.Takes(ctx, broker); err != nil {
			return replica.Batches{}, err
		}
		runtime, _ := c.target.Runtime(ctx, broker) // proxies don't say, and not everybody may ask
		c.mu.Lock()
		c.limits[broker] = limit
		c.mu.Unlock()
		c.lookAtBoot(broker, runtime, nil)
	}
	if limit.Bytes == 0 || c.options.BatchBytes < limit.Bytes {
		limit.Bytes = c.options.BatchBytes
	}
	return limit, nil
}

func (c *maintenance) every(pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-c.ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// renewLocks renews the locks that lanes hold on a broker. A lane whose lock isn't renewed asks for
// it itself, and says why it waits.
func (c *maintenance) renewLocks(broker string, lanes []*laneWorker) {
	var due []*laneWorker
	for _, l := range lanes {
		if renewed := l.snapshot().renewed; !renewed.IsZero() && time.Since(renewed) > c.timing.renew/2 {
			due = append(due, l)
		}
	}
	for len(due) > 0 && c.ctx.Err() == nil {
		some := due[:min(len(due), locksTogether)]
		due = due[len(some):]
		c.renewSome(broker, some)
	}
}

func (c *maintenance) renewSome(broker string, lanes []*laneWorker) {
	asking, cancel := context.WithTimeout(c.ctx, c.timing.finish)
	defer cancel()
	queues := make([]rocketmq.MessageQueue, len(lanes))
	for i, l := range lanes {
		queues[i] = l.lockName()
	}
	begin := time.Now()
	locked, err := c.target.Lock(asking, broker, c.options.Group, c.options.Holder, queues)
	if err != nil {
		return // there is time left for the next try
	}
	held := map[rocketmq.MessageQueue]bool{}
	for _, q := range locked {
		held[q] = true
	}
	for i, l := range lanes {
		l.change(func(s *laneState) {
			switch {
			case s.renewed.IsZero(): // it was given back in the meantime
			case begin.Sub(s.renewed) >= c.timing.lockValid:
				// it may have been another copier's in between: the lane must take it anew, and
				// read the tail
				s.renewed = time.Time{}
			case held[queues[i]]:
				s.renewed = begin
			default:
				s.renewed = time.Time{}
			}
		})
	}
}

// commitMoved commits the progress of lanes that moved: about every second, and sooner when they
// have just caught up.
func (c *maintenance) commitMoved(lanes []*laneWorker) {
	var together errgroup.Group
	together.SetLimit(commitsTogether)
	for _, l := range lanes {
		if !l.commitDue() {
			continue
		}
		together.Go(func() error {
			if err := l.commit(c.ctx); err != nil && c.ctx.Err() == nil {
				l.change(func(s *laneState) { s.uncommitted, s.savedAt = err.Error(), time.Now() })
			}
			return nil
		})
	}
	_ = together.Wait() // each lane says itself what went wrong
}

// lookAtEnds tells lanes that rest where their queues end.
func (c *maintenance) lookAtEnds(broker, topic string, lanes []*laneWorker) {
	before := map[*laneWorker]sends{}
	for _, l := range lanes {
		if sends := l.reverse.sends.Load(); l.snapshot().resting && sends.all() {
			before[l] = sends
		}
	}
	if len(before) == 0 {
		return
	}
	ends, err := c.source.Ends(c.ctx, broker, topic)
	if err != nil {
		return // the next look, or the lock, shows whether it lasts
	}
	for l, sends := range before {
		end, listed := ends[l.Source.ID]
		if !listed { // brokers before 5.x list only queues that producers see
			if _, end, err = c.source.Bounds(c.ctx, topic, l.Source); err != nil {
				continue
			}
		}
		if l.reverse.sends.Load() == sends { // else the answer to a send tells more
			l.change(func(s *laneState) { s.end = max(s.next, end) })
			l.rouse()
		}
	}
}
