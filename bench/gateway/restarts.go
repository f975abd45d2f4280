package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"time"
)

// restarted is one line of the result of restarts: of a way to restart the gateway, over all times and all members of the group.
type restarted struct {
	Way      string `json:"way"` // killed: with kill -9, and started a second later; takeover: another process takes over
	Restarts int    `json:"restarts"`
	Members  int    `json:"members"`
	// OnMs is how long after the gateway serves again each member got its next message, in milliseconds. Of a takeover it is the
	// member's longest time without a message, from the start of the other process to a second after the end of the first.
	OnMs spread `json:"onMs"`
	// SinceMs is the same from the kill on: Java clients wait 3 s after a pull that failed.
	SinceMs spread `json:"sinceMs"`
	// RestMs is the longest time without a message of each member in as long a time before.
	RestMs   spread `json:"restMs"`
	Failed   int    `json:"failed"` // sends that failed after all of the client's own tries
	Lost     int    `json:"lost"`
	Repeated int    `json:"repeated"`
}

// killed is the way that has no warning.
const killed = "killed"

const (
	// downTime is how long a gateway that was killed is away.
	downTime = time.Second
	// afterKill is how long is waited for what follows a restart, such as clients that come back with a heartbeat, each 30 s.
	afterKill = 35 * time.Second
	// afterTakeover is longer than anything takes that follows it.
	afterTakeover = 5 * time.Second
	// membersOfGroup is how many members share the queues.
	membersOfGroup = 3
)

// measureRestarts restarts the gateway again and again, in both ways, while a group reads.
func (c *course) measureRestarts(ctx context.Context, result *json.Encoder) error {
	for _, way := range []struct {
		name    string
		restart func(context.Context) (window, int64, error)
		rest    time.Duration
	}{{killed, c.killAndStart, afterKill}, {"takeover", c.takeOver, afterTakeover}} {
		line, err := c.measureRestart(ctx, way.name, way.restart, way.rest)
		if err != nil {
			return fmt.Errorf("%s: %w", way.name, err)
		}
		if err := result.Encode(line); err != nil {
			return err
		}
	}
	return nil
}

func (c *course) measureRestart(ctx context.Context, way string, restart func(context.Context) (window, int64, error), rest time.Duration) (m restarted, err error) {
	group := "bench-gateway-" + way
	if err := c.makeGroup(ctx, group); err != nil {
		return m, err
	}
	first := time.Now().UnixMilli() * 1e6 // a group begins with what was sent before: other numbers
	var flows []*flow
	defer func() {
		for _, f := range flows {
			err = errors.Join(err, f.end())
		}
	}()
	for i := range membersOfGroup {
		f, err := c.startFlowAt(ctx, c.gateway.names, group, first+int64(i)*1e9, topic)
		if err != nil {
			return m, err
		}
		flows = append(flows, f)
	}
	var down []window
	var serves []int64
	for range c.restarts {
		w, served, err := restart(ctx)
		if err != nil {
			return m, err
		}
		down, serves = append(down, w), append(serves, served)
		if err := pause(ctx, rest); err != nil {
			return m, err
		}
	}
	m = restarted{Way: way, Restarts: c.restarts, Members: len(flows)}
	m.took(way, flows, down, serves)
	return m, m.became(ctx, flows)
}

// took notes how long members got no messages.
func (m *restarted) took(way string, flows []*flow, down []window, serves []int64) {
	var on, since, before []float64
	for _, f := range flows {
		f.mu.Lock()
		for i, w := range down {
			if way == killed {
				next := f.next(serves[i])
				on, since = append(on, float64(next-serves[i])/1e3), append(since, float64(next-w.from)/1e3)
			} else {
				on = append(on, f.silence(w))
			}
			before = append(before, f.silence(window{2*w.from - w.to, w.from}))
		}
		f.mu.Unlock()
	}
	m.OnMs, m.SinceMs, m.RestMs = spreadOf(on), spreadOf(since), spreadOf(before)
}

// became notes what became of all messages, when those that were acknowledged had time to be read.
func (m *restarted) became(ctx context.Context, flows []*flow) error {
	const readTime = 10 * time.Second
	if err := pause(ctx, readTime); err != nil {
		return err
	}
	all := &flow{}
	late := time.Now().Add(-readTime / 2).UnixMicro()
	for _, f := range flows {
		f.mu.Lock()
		m.Failed += len(f.failed)
		all.reads = append(all.reads, f.reads...)
		for _, s := range f.sends {
			if s.begin < late {
				all.sends = append(all.sends, s)
			}
		}
		f.mu.Unlock()
	}
	m.Lost, m.Repeated = all.tally()
	return nil
}

// next is when the first message came from a moment on; the end of time if none did.
func (f *flow) next(from int64) int64 {
	first := int64(math.MaxInt64)
	for _, d := range f.reads {
		if d.when >= from {
			first = min(first, d.when)
		}
	}
	return first
}

// silence is the longest time without a message in a window, in milliseconds.
func (f *flow) silence(w window) float64 {
	last, longest := w.from, int64(0)
	for _, d := range f.reads { // which come in time
		if d.when > w.from && d.when <= w.to {
			longest, last = max(longest, d.when-last), d.when
		}
	}
	return float64(max(longest, w.to-last)) / 1e3
}

// killAndStart kills the gateway, and starts it after a while. It returns when it was away, and from when on it served.
func (c *course) killAndStart(ctx context.Context) (w window, serves int64, err error) {
	w.from = time.Now().UnixMicro()
	if err := c.gateway.Process.Kill(); err != nil {
		return w, 0, err
	}
	_ = c.gateway.Wait() // it says that it was killed
	if err := pause(ctx, downTime); err != nil {
		return w, 0, err
	}
	c.gateway, err = c.startGateway(ctx, "gateway")
	w.to = time.Now().UnixMicro()
	return w, w.to, err
}

// takeOver has another process take over, and returns from its start to a second after the end of the first one.
func (c *course) takeOver(ctx context.Context) (w window, serves int64, err error) {
	w.from = time.Now().UnixMicro()
	next, err := c.startGateway(ctx, "gateway")
	if err != nil {
		return w, 0, err
	}
	err = c.gateway.Wait()
	c.gateway = next
	w.to = time.Now().Add(time.Second).UnixMicro()
	return w, w.to, errors.Join(err, pause(ctx, time.Second))
}
