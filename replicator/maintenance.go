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
// idle lanes did it: it renews locks by the thousand, and commits only for lanes that moved. Its
// tasks have goroutines of their own.
type maintenance struct {
	*direction
	ctx      context.Context // ends with the run
	all      *sync.WaitGroup // the goroutines of the run
	renewing sync.WaitGroup

	mu     sync.Mutex
	tasks  map[any]*periodicTask
	starts map[string]chan struct{}   // per target broker: a place for each lane that resumes now
	limits map[string]replica.Batches // per broker
	boots  map[string]string          // per target broker: when it says that it opened its store

	stragglers stragglers
}

const (
	locksTogether   = 1000 // in one request: about 60 KB
	commitsTogether = 8    // lanes of one pair of brokers that commit at the same time
	startsTogether  = 256  // lanes of one target broker that resume at the same time
)

func newMaintenance(ctx context.Context, of *direction, all *sync.WaitGroup) *maintenance {
	return &maintenance{
		direction: of,
		ctx:       ctx,
		all:       all,
		tasks:     map[any]*periodicTask{},
		starts:    map[string]chan struct{}{},
		limits:    map[string]replica.Batches{},
		boots:     map[string]string{},
	}
}

// periodicTask is done again and again for all lanes that have a broker, or a topic, in common.
// Lanes join it and stay.
type periodicTask struct {
	mu    sync.Mutex
	lanes []*laneWorker
}

func (t *periodicTask) of() []*laneWorker {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.lanes
}

// Names of periodic tasks.
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
func (m *maintenance) join(l *laneWorker) {
	l.maintenance = m
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.starts[l.Target.Broker] == nil {
		m.starts[l.Target.Broker] = make(chan struct{}, startsTogether)
	}
	m.serve(locksOf{l.Target.Broker}, l, &m.renewing, m.timing.renew/4,
		func(lanes []*laneWorker) { m.renewLocks(l.Target.Broker, lanes) })
	source, target := l.ends()
	m.serve(healthOf{source.Name, true}, l, m.all, m.timing.health,
		func([]*laneWorker) { m.lookAtHealth(source, true) })
	m.serve(healthOf{target.Name, false}, l, m.all, m.timing.health, func(lanes []*laneWorker) {
		m.lookAtBoot(target.Name, m.lookAtHealth(target, false), lanes)
	})
	m.serve(commitsOf{l.Source.Broker, l.Target.Broker}, l, m.all, m.timing.caughtUp, m.commitMoved)
	m.serve(writersOf{l.Source.Broker}, l, m.all, m.timing.straggle/4, m.lookForStragglers)
	if l.reverse != nil {
		m.serve(endsOf{l.Source.Broker, l.Topic}, l, m.all, m.timing.look,
			func(lanes []*laneWorker) { m.lookAtEnds(l.Source.Broker, l.Topic, lanes) })
	}
}

// serve adds a lane to a periodic task, which begins with its first lane.
func (m *maintenance) serve(
	name any,
	l *laneWorker,
	running *sync.WaitGroup,
	pause time.Duration,
	do func(lanes []*laneWorker),
) {
	t := m.tasks[name]
	if t == nil {
		t = &periodicTask{}
		m.tasks[name] = t
		running.Go(func() { m.every(pause, func() { do(t.of()) }) })
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lanes = append(t.lanes, l)
}

// turn is where a lane waits for its place among those that resume.
func (m *maintenance) turn(l *laneWorker) chan struct{} {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.starts[l.Target.Broker]
}

func (m *maintenance) every(pause time.Duration, do func()) {
	tick := time.NewTicker(pause)
	defer tick.Stop()
	for {
		select {
		case <-m.ctx.Done():
			return
		case <-tick.C:
			do()
		}
	}
}

// renewLocks renews the locks that lanes hold on a broker. A lane whose lock wasn't renewed takes
// it itself, and says what it waits for.
func (m *maintenance) renewLocks(broker string, lanes []*laneWorker) {
	var due []*laneWorker
	for _, l := range lanes {
		if renewed := l.state.snapshot().lock.renewed; !renewed.IsZero() && time.Since(renewed) > m.timing.renew/2 {
			due = append(due, l)
		}
	}
	for len(due) > 0 && m.ctx.Err() == nil {
		some := due[:min(len(due), locksTogether)]
		due = due[len(some):]
		m.renewSome(broker, some)
	}
}

func (m *maintenance) renewSome(broker string, lanes []*laneWorker) {
	asking, cancel := context.WithTimeout(m.ctx, m.timing.finish)
	defer cancel()
	queues := make([]rocketmq.MessageQueue, len(lanes))
	for i, l := range lanes {
		queues[i] = l.lockName()
	}
	begin := time.Now()
	locked, err := m.target.Lock(asking, broker, m.options.Group, m.options.Holder, queues)
	if err != nil {
		return // the next try comes before the locks lapse
	}
	held := map[rocketmq.MessageQueue]bool{}
	for _, q := range locked {
		held[q] = true
	}
	for i, l := range lanes {
		l.state.change(func(s *laneState) {
			switch {
			case s.lock.renewed.IsZero(): // it was given back in the meantime
			case begin.Sub(s.lock.renewed) >= m.timing.lockValid:
				// Another copier may have held it in between: the lane must take it anew, and
				// read the tail.
				s.lock.renewed = time.Time{}
			case held[queues[i]]:
				s.lock.renewed = begin
			default:
				s.lock.renewed = time.Time{}
			}
		})
	}
}

// commitMoved commits the progress of lanes that moved: about every second, and sooner when they
// have just caught up.
func (m *maintenance) commitMoved(lanes []*laneWorker) {
	var together errgroup.Group
	together.SetLimit(commitsTogether)
	for _, l := range lanes {
		if !l.commitDue() {
			continue
		}
		together.Go(func() error {
			if err := l.commit(m.ctx); err != nil && m.ctx.Err() == nil {
				l.state.change(func(s *laneState) { s.committed.failed, s.committed.at = err.Error(), time.Now() })
			}
			return nil
		})
	}
	_ = together.Wait() // each lane says itself what went wrong
}

// lookAtEnds tells resting lanes where their queues end.
func (m *maintenance) lookAtEnds(broker, topic string, lanes []*laneWorker) {
	before := map[*laneWorker]sends{}
	for _, l := range lanes {
		if sends := l.reverse.sends.Load(); l.state.snapshot().resting && sends.all() {
			before[l] = sends
		}
	}
	if len(before) == 0 {
		return
	}
	ends, err := m.source.Ends(m.ctx, broker, topic)
	if err != nil {
		return // the next look tries again
	}
	for l, sends := range before {
		end, listed := ends[l.Source.ID]
		if !listed { // brokers before 5.x list only queues that producers see
			if _, end, err = m.source.Bounds(m.ctx, topic, l.Source); err != nil {
				continue
			}
		}
		if l.reverse.sends.Load() == sends { // else the answer to a send tells more
			l.state.change(func(s *laneState) { s.end = max(s.next, end) })
			l.state.rouse()
		}
	}
}
