package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"time"
)

// flow is a stock producer and a stock consumer, and what they said (Flow.java).
type flow struct {
	kind  string
	cmd   *exec.Cmd
	stdin io.Closer
	ended chan error

	mu     sync.Mutex
	sends  []sent
	reads  []delivery
	failed []sent
}

// sent is a send that was acknowledged or failed; times are microseconds, since 1970 where they say
// when.
type sent struct{ begin, took, number int64 }

// delivery is a message that the consumer got.
type delivery struct {
	when   int64
	target bool
	queue  string // topic and number
	number int64
}

// startFlow starts both, and waits until messages flow.
func (c *course) startFlow(ctx context.Context, group string, topics ...string) (*flow, error) {
	return c.startFlowAt(ctx, c.gateway.names, group, 0, topics...)
}

// startFlowAt is startFlow with other name servers than the gateway, and messages that are numbered
// from another number on.
func (c *course) startFlowAt(ctx context.Context, names, group string, first int64, topics ...string) (*flow, error) {
	return c.startFlowOf(ctx, javaMember, names, group, first, topics...)
}

// startFlowOf is startFlowAt with clients of a kind.
func (c *course) startFlowOf(
	ctx context.Context, kind, names, group string, first int64, topics ...string,
) (*flow, error) {
	rate := c.rate
	if rate == 0 {
		rate = 1000
	}
	cmd, err := c.clientOf(ctx, kind, names, strings.Join(topics, ","), group, c.threads, rate, first)
	if err != nil {
		return nil, err
	}
	f := &flow{kind: kind, cmd: cmd, ended: make(chan error, 1)}
	if f.stdin, err = f.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := f.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := f.cmd.Start(); err != nil {
		return nil, err
	}
	go f.read(out)
	if err := f.until(ctx, "messages flow", func() bool { return len(f.reads) > rate }); err != nil {
		return nil, err
	}
	return f, pause(ctx, time.Duration(c.warm)*time.Second)
}

func (f *flow) read(out io.Reader) {
	for lines := bufio.NewScanner(out); lines.Scan(); {
		f.mu.Lock()
		f.take(lines.Text())
		f.mu.Unlock()
	}
	f.ended <- f.cmd.Wait()
}

// take takes a line. What isn't one of the flow's is a client's own talk.
func (f *flow) take(line string) {
	var s sent
	var d delivery
	var side, id int
	var name string
	if n, _ := fmt.Sscanf(line, "s %d %d %d", &s.begin, &s.took, &s.number); n == 3 {
		f.sends = append(f.sends, s)
	} else if n, _ := fmt.Sscanf(line, "e %d %d %d", &s.begin, &s.took, &s.number); n == 3 {
		f.failed = append(f.failed, s)
	} else if n, _ := fmt.Sscanf(line, "r %d %d %s %d %d", &d.when, &side, &name, &id, &d.number); n == 5 {
		d.target, d.queue = side == 1, fmt.Sprint(name, " ", id)
		f.reads = append(f.reads, d)
	}
}

// flowTime bounds how long messages may take to flow, or to be read.
const flowTime = 3 * time.Minute

// until waits for a condition, which is looked at under the flow's lock.
func (f *flow) until(ctx context.Context, what string, ok func() bool) error {
	for begin := time.Now(); ; {
		f.mu.Lock()
		done, sends, reads := ok(), len(f.sends), len(f.reads)
		f.mu.Unlock()
		if done {
			return nil
		}
		if time.Since(begin) > flowTime {
			return fmt.Errorf("not within %s: %s; %d sends, %d deliveries", flowTime, what, sends, reads)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// end ends both programs.
func (f *flow) end() error {
	_ = f.stdin.Close()
	return <-f.ended
}

// window is a time, in microseconds since 1970.
type window struct{ from, to int64 }

// longest is how long the longest send took, in milliseconds, that was under way in a window.
func (f *flow) longest(w window) (ms float64) {
	for _, s := range f.sends {
		if s.begin <= w.to && s.begin+s.took >= w.from {
			ms = max(ms, float64(s.took)/1e3)
		}
	}
	return ms
}

// gaps are, for a move of the group's side in a window: between the group's last message from the
// side before and its first from the new one, and the longest such gap of a single queue, in
// milliseconds. Both begin no earlier than the window.
func (f *flow) gaps(w window, toTarget bool) (group, queue float64) {
	last, first := map[string]int64{}, map[string]int64{}
	for _, d := range f.reads {
		switch {
		case d.when > w.to:
		case d.target != toTarget:
			last[d.queue] = max(last[d.queue], d.when)
		case d.when >= w.from && first[d.queue] == 0:
			first[d.queue] = d.when
		}
	}
	lastOfAll, firstOfAll := w.from, w.to
	for name, at := range first {
		from := max(w.from, last[name])
		queue = max(queue, float64(at-from)/1e3)
		lastOfAll, firstOfAll = max(lastOfAll, last[name]), min(firstOfAll, at)
	}
	return max(0, float64(firstOfAll-lastOfAll)/1e3), queue
}

// clientTime is how long a stock producer tries to send a message unless it is told otherwise, in
// microseconds.
const clientTime = 3_000_000

// refused counts sends that failed although there was time left.
func (f *flow) refused() (n int) {
	for _, s := range f.failed {
		if s.took < clientTime {
			n++
		}
	}
	return n
}

// tally counts messages that were acknowledged and never delivered, and those that were delivered
// more than once.
func (f *flow) tally() (lost, repeated int) {
	times := map[int64]int{}
	for _, d := range f.reads {
		times[d.number]++
		if times[d.number] > 1 {
			repeated++
		}
	}
	for _, s := range f.sends {
		if times[s.number] == 0 {
			lost++
		}
	}
	return lost, repeated
}

// spread is how measured times are spread.
type spread struct {
	P50 float64 `json:"p50"`
	P99 float64 `json:"p99"`
	Max float64 `json:"max"`
}

func spreadOf(all []float64) spread {
	if len(all) == 0 {
		return spread{}
	}
	all = slices.Sorted(slices.Values(all))
	at := func(share float64) float64 { return rounded(all[int(share*float64(len(all)-1)+0.5)]) }
	return spread{at(0.5), at(0.99), at(1)}
}

// pause waits, shorter when the context ends.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
