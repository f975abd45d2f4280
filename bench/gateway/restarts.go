package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
)

// restarted is one line of the result of restarts: of a way to restart, over all times and all
// members of one kind.
type restarted struct {
	Way      string `json:"way"`     // see killed and the others
	Members  string `json:"members"` // of the group, see kindsOf
	Kind     string `json:"kind"`    // of those that the times are of
	Restarts int    `json:"restarts"`
	// OnMs is how long after the gateway, or the broker, serves again each member got its next
	// message, in milliseconds. Of a takeover it is the member's longest time without a message,
	// from the start of the other process to a second after the end of the first.
	OnMs spread `json:"onMs"`
	// SinceMs is the same from the kill on: Java clients wait 3 s after a pull that failed.
	SinceMs spread `json:"sinceMs"`
	// RestMs is the longest time without a message of each member in as long a time before.
	RestMs   spread `json:"restMs"`
	Failed   int    `json:"failed"`   // the group's sends that failed after all of the client's own tries
	Lost     int    `json:"lost"`     // to the group
	Repeated int    `json:"repeated"` // of the group
}

// Ways to restart.
const (
	killed   = "killed"   // the gateway with kill -9, and started a second later
	takeover = "takeover" // another process takes over from the gateway
	// brokerKilled is the control: the broker with kill -9, started a second later. Clients are
	// straight connected to it.
	brokerKilled = "broker"
)

const (
	// downTime is how long what was killed is away.
	downTime = time.Second
	// afterKill is how long is waited for what follows a restart, such as clients that come back
	// with a heartbeat, each 30 s.
	afterKill = 35 * time.Second
	// afterTakeover is longer than anything takes that follows it.
	afterTakeover = 5 * time.Second
)

// way restarts something, and says when it was away, and from when on it served.
type way struct {
	restart func(context.Context) (window, int64, error)
	names   string // the name servers that clients have
	rest    time.Duration
}

func (c *course) restartBy(name string) way {
	switch name {
	case takeover:
		return way{c.takeOver, c.gateway.names, afterTakeover}
	case brokerKilled:
		return way{c.killBroker, strings.Join(c.source.NameServers, ";"), afterKill}
	}
	return way{c.killAndStart, c.gateway.names, afterKill}
}

// measureRestarts restarts again and again, in all ways, while groups read.
func (c *course) measureRestarts(ctx context.Context, result *json.Encoder) error {
	for _, members := range c.groups {
		for _, name := range c.kills {
			all, err := c.measureRestart(ctx, members, name)
			if err != nil {
				return fmt.Errorf("%s, %s: %w", members, name, err)
			}
			for _, line := range all {
				if err := result.Encode(line); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func (c *course) measureRestart(ctx context.Context, members, name string) (all []restarted, err error) {
	group := "bench-gateway-" + strings.ReplaceAll(members, ".", "-") + "-" + name
	if err := c.makeGroup(ctx, group); err != nil {
		return nil, err
	}
	by := c.restartBy(name)
	first := time.Now().UnixMilli() * 1e6 // a group begins with what was sent before: other numbers
	var flows []*flow
	defer func() {
		for _, f := range flows {
			err = errors.Join(err, f.end())
		}
	}()
	for i, kind := range kindsOf[members] {
		f, err := c.startFlowOf(ctx, kind, by.names, group, first+int64(i)*1e9, topic)
		if err != nil {
			return nil, err
		}
		flows = append(flows, f)
	}
	var down []window
	var serves []int64
	for range c.restarts {
		w, served, err := by.restart(ctx)
		if err != nil {
			return nil, err
		}
		down, serves = append(down, w), append(serves, served)
		if err := pause(ctx, by.rest); err != nil {
			return nil, err
		}
	}
	m := restarted{Way: name, Members: members, Restarts: c.restarts}
	if err := m.became(ctx, flows); err != nil {
		return nil, err
	}
	for _, kind := range slices.Compact(slices.Sorted(slices.Values(kindsOf[members]))) {
		of := slices.DeleteFunc(slices.Clone(flows), func(f *flow) bool { return f.kind != kind })
		m.Kind = kind
		m.took(of, down, serves)
		all = append(all, m)
	}
	return all, nil
}

// took notes how long members got no messages.
func (m *restarted) took(flows []*flow, down []window, serves []int64) {
	var on, since, before []float64
	for _, f := range flows {
		f.mu.Lock()
		for i, w := range down {
			if m.Way != takeover {
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

// killAndStart kills the gateway, and starts it after a while. It returns when it was away, and
// from when on it served.
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

// killBroker kills the broker, and starts it after a while.
func (c *course) killBroker(ctx context.Context) (w window, serves int64, err error) {
	w.from = time.Now().UnixMicro()
	name := c.source.Brokers[0].Name
	if err := c.source.KillBroker(name); err != nil {
		return w, 0, err
	}
	if err := pause(ctx, downTime); err != nil {
		return w, 0, err
	}
	err = c.source.StartBroker(ctx, name)
	w.to = time.Now().UnixMicro()
	return w, w.to, err
}

// takeOver has another process take over, and returns from its start to a second after the end of
// the first one.
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
