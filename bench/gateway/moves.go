package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/lab"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// moved is the result of moves of one kind. Times are milliseconds.
type moved struct {
	What   string `json:"what"`
	Moves  int    `json:"moves"`
	Queues int    `json:"queues"` // all together
	// moves that weren't done at once: everything was as before, and they were asked for again
	Again int `json:"again"`
	// Pause is the longest send that was under way during a move; Control the same at other times
	// of the same length.
	Pause   spread `json:"pauseMs"`
	Control spread `json:"controlMs"`
	Held    spread `json:"heldMs"` // for how long the gateway kept sends, or pulls, waiting
	// Gap is between a group's last message from one side and its first from the other; QueueGap
	// the longest of a single queue.
	Gap      *spread `json:"gapMs,omitempty"`
	QueueGap *spread `json:"queueGapMs,omitempty"`

	Seconds float64 `json:"seconds"` // from the first to the last
	Sends   int     `json:"sends"`
	Errors  int     `json:"errors"` // of sends
	// of these, those that came before the client's own time was over: stalled machines make the
	// others
	Refused  int     `json:"refused"`
	Lost     int     `json:"lost"`
	Repeated int     `json:"repeated"`
	HopCPU   float64 `json:"hopCpuSecondsPerMillion"` // for a message that is sent and read
}

// wideQueues is how many queues each of the topics has that move after the others.
const wideQueues = 100

// wide are these topics.
func (o options) wide() (all []string) {
	for i := range o.topics {
		all = append(all, fmt.Sprint("bench-gateway-wide-", i))
	}
	return all
}

// step is a move that was made.
type step struct {
	kind   string
	to     string
	at     window // from when it was asked for to when it was done
	held   float64
	queues int
	again  int
}

// measureMoves moves homes and sides under load.
func (c *course) measureMoves(ctx context.Context, result *json.Encoder) error {
	const few, many = "bench-gateway-billing", "bench-gateway-audit"
	if err := errors.Join(c.makeGroup(ctx, few), c.makeGroup(ctx, many)); err != nil {
		return err
	}
	stop, err := c.replicate(ctx, append(c.wide(), topic, rocketmq.RetryTopic(few), rocketmq.RetryTopic(many))...)
	if err != nil {
		return err
	}
	err = errors.Join(c.use(ctx), c.thereAndBack(ctx, few, result))
	if err == nil && c.topics > 0 {
		err = c.moveWide(ctx, many, result)
	}
	return errors.Join(err, stop())
}

// replicate runs the lanes of topics, both ways.
func (c *course) replicate(ctx context.Context, topics ...string) (stop func() error, err error) {
	client := rocketmq.NewClient(rocketmq.Options{})
	here, there := rocketmq.NewCluster(client, c.source.NameServers), rocketmq.NewCluster(client, c.target.NameServers)
	var lanes []lane.Lane
	for _, name := range topics {
		some, err := replica.LanesOf(ctx, here, there, name)
		if err != nil {
			return nil, err
		}
		lanes = append(lanes, some...)
	}
	ctx, cancel := context.WithCancel(ctx)
	copier := replicator.NewReplicator(here, there, replicator.Options{Names: names, Holder: "bench", BothWays: true})
	ended := make(chan error, 1)
	go func() { ended <- copier.Run(ctx, lanes, func(lane.Progress) {}) }()
	return func() error {
		cancel()
		defer client.Close()
		return <-ended
	}, nil
}

// rest is between two moves: longer than it takes messages that were under way to arrive.
const rest = 500 * time.Millisecond

// warmRounds are made before anything is measured: brokers that have just been started run code
// slowly that they never ran before.
const warmRounds = 5

// thereAndBack moves a topic's homes and a group's sides to the target and back.
func (c *course) thereAndBack(ctx context.Context, group string, result *json.Encoder) error {
	f, err := c.startFlow(ctx, group, topic)
	if err != nil {
		return err
	}
	homes, sides := control.Move{
		Kind:   control.KindHome,
		Topics: []string{topic},
	}, control.Move{
		Kind:   control.KindSide,
		Groups: []string{group},
	}
	round := func() (steps []step, err error) {
		for _, to := range []string{"target", "source"} {
			for _, m := range []control.Move{sides, homes} {
				m.To = to
				s, err := c.move(ctx, m)
				if err != nil {
					return nil, err
				}
				steps = append(steps, s)
				if err := pause(ctx, rest); err != nil {
					return nil, err
				}
			}
		}
		return steps, nil
	}
	for range warmRounds {
		if _, err := round(); err != nil {
			return errors.Join(err, f.end())
		}
	}
	return errors.Join(c.during(ctx, f, result, func() (steps []step, err error) {
		for range c.moves {
			some, err := round()
			if err != nil {
				return steps, err
			}
			steps = append(steps, some...)
		}
		return steps, nil
	}), f.end())
}

// moveWide moves many queues to the target, some at a time.
func (c *course) moveWide(ctx context.Context, group string, result *json.Encoder) error {
	f, err := c.startFlow(ctx, group, c.wide()...)
	if err != nil {
		return err
	}
	return errors.Join(c.during(ctx, f, result, func() (steps []step, err error) {
		for _, name := range c.wide() {
			var all []control.TopicQueue
			for id := range wideQueues {
				all = append(all,
					control.TopicQueue{Topic: name, Queue: lane.Queue{Broker: c.source.Brokers[0].Name, ID: id}})
			}
			for some := range slices.Chunk(all, c.chunk) {
				s, err := c.move(ctx, control.Move{Kind: control.KindHome, To: "target", Queues: some})
				if err != nil {
					return steps, err
				}
				steps = append(steps, s)
			}
		}
		return steps, nil
	}), f.end())
}

var moveNumber int

// budget is what Shift gives to a move.
const budget = control.Duration(time.Second)

// move makes a move, again and again until it is done.
func (c *course) move(ctx context.Context, m control.Move) (s step, err error) {
	s.kind, s.to = m.Kind, m.To
	for s.at.from = time.Now().UnixMicro(); ; s.again++ {
		moveNumber++
		m.ID, m.Budget = fmt.Sprint("bench-", moveNumber), budget
		was, err := c.gateway.control.Move(ctx, m)
		if err != nil {
			return s, err
		}
		if was.Done {
			s.at.to, s.queues = time.Now().UnixMicro(), was.Moved
			s.held = float64(time.Duration(was.Held).Microseconds()) / 1e3
			return s, nil
		}
		fmt.Fprintf(c.talk, "a move of %s to the %s wasn't done at once: %s\n", m.Kind, m.To, was.Reason)
		if s.again > 50 {
			return s, fmt.Errorf("move of %s to the %s: %s", m.Kind, m.To, was.Reason)
		}
		if err := pause(ctx, 200*time.Millisecond); err != nil {
			return s, err
		}
	}
}

// during measures what moves do to a flow, and waits until everything is read.
func (c *course) during(ctx context.Context, f *flow, result *json.Encoder, work func() ([]step, error)) error {
	before, err := lab.ProcessCPU(c.gateway.Process.Pid)
	if err != nil {
		return err
	}
	f.mu.Lock()
	already := len(f.sends)
	f.mu.Unlock()
	steps, err := work()
	if err != nil {
		return err
	}
	after, err := lab.ProcessCPU(c.gateway.Process.Pid)
	if err != nil {
		return err
	}
	f.mu.Lock()
	sends := len(f.sends)
	f.mu.Unlock()
	if err := f.until(ctx, "everything is read", func() bool { lost, _ := f.of(sends).tally(); return lost == 0 }); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	cost := rounded((after - before).Seconds() / float64(sends-already) * 1e6)
	for _, kind := range []string{control.KindHome, control.KindSide} {
		if m := f.of(sends).judge(kind, steps); m.Moves > 0 {
			m.HopCPU = cost
			if err := result.Encode(m); err != nil {
				return err
			}
		}
	}
	return nil
}

// of is the flow with its first sends alone.
func (f *flow) of(sends int) *flow {
	return &flow{sends: f.sends[:sends], reads: f.reads, failed: f.failed}
}

// judge says what moves of a kind did to the flow.
func (f *flow) judge(kind string, steps []step) moved {
	m := moved{What: kind, Sends: len(f.sends), Errors: len(f.failed), Refused: f.refused()}
	m.Lost, m.Repeated = f.tally()
	var pauses, controls, held, gaps, queueGaps []float64
	var first, last int64
	for _, s := range steps {
		if s.kind != kind {
			continue
		}
		if m.Moves++; first == 0 {
			first = s.at.from
		}
		last = s.at.to
		m.Queues += s.queues
		m.Again += s.again
		pauses, held = append(pauses, f.longest(s.at)), append(held, s.held)
		later := s.at.to + rest.Microseconds()/2
		controls = append(controls, f.longest(window{later, later + s.at.to - s.at.from}))
		if kind == control.KindSide {
			group, queue := f.gaps(window{s.at.from, s.at.to + rest.Microseconds()}, s.to == "target")
			gaps, queueGaps = append(gaps, group), append(queueGaps, queue)
		}
	}
	m.Seconds = rounded(float64(last-first) / 1e6)
	m.Pause, m.Control, m.Held = spreadOf(pauses), spreadOf(controls), spreadOf(held)
	if kind == control.KindSide {
		one, two := spreadOf(gaps), spreadOf(queueGaps)
		m.Gap, m.QueueGap = &one, &two
	}
	return m
}
