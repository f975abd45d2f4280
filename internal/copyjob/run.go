package copyjob

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"time"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
)

// settleTime is how long a copy goes on for lanes that never seem to have caught up, as under
// steady traffic. In that time a lane has read the tail of its target queue; a lane that lost
// copies goes back, and is not at its goal any more.
const settleTime = 5 * time.Second

// ran is how the copying went.
type ran struct {
	progress lane.Progress
	reached  bool  // everything that was there at the start is copied, or its lane has stopped
	held     int64 // messages that the source held at the start
}

// Run copies until everything is copied that was there at the start. If it follows the source, it
// copies until the context ends.
func (c *Job) Run(ctx context.Context, show func(State)) (ran, error) {
	g, err := c.goals(ctx)
	if err != nil {
		return ran{}, err
	}
	out := ran{held: g.held}
	m := Meter{Now: c.Now}
	if !c.follow {
		m.Total = g.total
	}
	m.rate(0)
	running, stop := context.WithCancel(ctx)
	defer stop()
	options := replicator.Options{Names: c.names, Holder: copyHolder(), BothWays: c.bothWays}
	err = replicator.NewReplicator(c.Source, c.Target, options).Run(running, c.lanes, func(p lane.Progress) {
		out.progress = p
		show(m.State(p))
		switch {
		case running.Err() != nil:
		case allStopped(p), !c.follow && g.reached(running, p):
			out.reached = true
			stop()
		}
	})
	return out, err
}

// copyHolder names this process to others that want to copy the same.
func copyHolder() string {
	host, _ := os.Hostname() // for people alone
	return fmt.Sprintf("rocketshift-copy/%s/%d/%s", host, os.Getpid(), rand.Text()[:8])
}

// goal is where a lane's source queue ended at the start.
type goal struct {
	lane      lane.Lane
	positions *positions.Positions
	back      bool
	end       int64
}

// goals are those of all lanes.
type goals struct {
	list        []goal
	next        int       // the goal to check first: it is the least likely to be reached
	since       time.Time // when all were first seen reached; zero while they aren't
	now         func() time.Time
	held, total int64 // messages on the source at the start, and how many of them had no copy
}

func (c *Job) goals(ctx context.Context) (*goals, error) {
	g := &goals{now: c.Now}
	forward := positions.New(c.Source, c.Target, c.names)
	for _, lane := range c.lanes {
		if err := g.add(ctx, c.Source, forward, lane, false); err != nil {
			return nil, err
		}
	}
	if !c.bothWays {
		return g, nil
	}
	back := forward.Reversed()
	for _, lane := range c.lanes {
		if err := g.add(ctx, c.Target, back, lane.Back(), true); err != nil {
			return nil, err
		}
	}
	return g, nil
}

func (g *goals) add(
	ctx context.Context,
	from *rocketmq.Cluster,
	positions *positions.Positions,
	lane lane.Lane,
	back bool,
) error {
	var copied, first, end int64
	err := remoting.RetryRead(ctx, func() (err error) {
		if copied, end, err = positions.Progress(ctx, lane); err != nil {
			return err
		}
		broker, err := from.Broker(ctx, lane.Source.Broker)
		if err == nil {
			first, err = from.Client().MinOffset(ctx, broker.Addr, lane.Topic, lane.Source.ID)
		}
		return err
	})
	if err != nil {
		return failure.Broken("run it again when all brokers answer", "%s: %w", lane, err)
	}
	g.list = append(g.list, goal{lane, positions, back, end})
	if !back {
		g.held += max(0, end-first)
		g.total += max(0, end-max(copied, first))
	}
	return nil
}

// reached reports whether all lanes have copied what was there at the start, except for lanes with
// a fault. Where a broker doesn't answer they haven't; the lanes say what they wait for.
func (g *goals) reached(ctx context.Context, p lane.Progress) bool {
	for range g.list {
		one := g.list[g.next]
		if !one.stopped(p) {
			if copied, _, err := one.positions.Progress(ctx, one.lane); err != nil || copied < one.end {
				g.since = time.Time{}
				return false
			}
		}
		g.next = (g.next + 1) % len(g.list)
	}
	if g.since.IsZero() {
		g.since = g.now()
	}
	return caughtUp(p) || g.now().Sub(g.since) >= settleTime
}

// stopped reports whether the lane has a fault.
func (g goal) stopped(p lane.Progress) bool {
	if g.back && p.Back != nil {
		p = *p.Back
	}
	for _, f := range p.Faults {
		if f.Topic == g.lane.Topic && f.Broker == g.lane.Source.Broker && f.Queue == g.lane.Source.ID {
			return true
		}
	}
	return false
}

// caughtUp reports whether every lane that copies has begun and has nothing left to copy.
func caughtUp(p lane.Progress) bool {
	return p.CaughtUp+len(p.Faults) == p.Lanes && (p.Back == nil || caughtUp(*p.Back))
}

// allStopped reports whether no lane copies any more.
func allStopped(p lane.Progress) bool {
	return len(p.Faults) == p.Lanes && (p.Back == nil || allStopped(*p.Back))
}
