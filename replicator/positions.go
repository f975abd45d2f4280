package replicator

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"rocketshift/internal/rocketmq"
)

// ErrNotCopiedYet says that the lane hasn't copied everything before the position, so there is nothing to translate to.
var ErrNotCopiedYet = errors.New("not copied yet")

// Translation is a position on the other side.
type Translation struct {
	Target int64 `json:"target"` // the position: on the target for Forward, on the source for Back
	Exact  bool  `json:"exact"`  // a reader there goes on at exactly the next message; else it may see a few more
	Unread int64 `json:"unread"` // natives on the target that a reader of the other side doesn't get (Back), or that lie before Target (Forward)
}

// Natives are the messages on a target queue that no lane has copied there.
type Natives struct {
	Count       int64 `json:"count"`
	First, Last int64 // positions of the first and the last; both 0 without natives
}

// Positions translates positions between the two replicas of lanes. It remembers the order of copies that it has seen, so one
// Positions that is kept reads little. It may be used by several goroutines.
type Positions struct {
	source, target replica
	group          string

	mu    sync.Mutex
	known map[Lane]*laneCuts
}

type laneCuts struct {
	mu sync.Mutex
	cuts
}

// NewPositions translates for the lanes of a group.
func NewPositions(source, target *rocketmq.Cluster, group string) *Positions {
	return newPositions(newBrokers("source", source), newBrokers("target", target), group)
}

func newPositions(source, target replica, group string) *Positions {
	return &Positions{source: source, target: target, group: group, known: map[Lane]*laneCuts{}}
}

func (p *Positions) queues(lane Lane) (source, target queue) {
	return queue{p.source, p.group, lane.Topic, lane.Source}, queue{p.target, p.group, lane.Topic, lane.Target}
}

func (p *Positions) stamps(ctx context.Context, lane Lane) (s stamper, err error) {
	err = rocketmq.RetryRead(ctx, func() error {
		cluster, err := p.source.clusterOf(ctx, lane.Source.Broker)
		s = stamper{cluster, lane}
		return err
	})
	return s, err
}

// Progress returns the source offset up to which the lane has copied, and where the source queue ends. A lane that hasn't
// started stands at the beginning of its queue.
func (p *Positions) Progress(ctx context.Context, lane Lane) (copied, sourceMax int64, err error) {
	source, _ := p.queues(lane)
	copied, known, err := source.position(ctx)
	if err != nil {
		return 0, 0, err
	}
	first, end, err := source.bounds(ctx)
	if !known {
		copied = first
	}
	return copied, end, err
}

// Forward translates a position on the source: the reader has read everything before it, and nothing else. The result is the
// position behind the copy of the last message read, so that nothing unread lies before it; natives and repeated copies that
// follow there make it inexact, as the reader sees them too. A position before the queue's first message counts as that one,
// and one behind its end as the end. ErrNotCopiedYet says that the lane must copy more first.
func (p *Positions) Forward(ctx context.Context, lane Lane, sourceOffset int64) (Translation, error) {
	source, target := p.queues(lane)
	stamps, err := p.stamps(ctx, lane)
	if err != nil {
		return Translation{}, err
	}
	first, end, err := source.bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	offset := min(max(sourceOffset, first), end)
	progress, known, err := source.position(ctx) // before the target's end, which then holds all of it
	if err != nil {
		return Translation{}, err
	}
	from, to, err := target.bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	if at, found, err := aligned(ctx, target, stamps, from, to, offset); err != nil || found {
		return Translation{Target: at, Exact: true}, err
	}
	c := p.cutsOf(lane)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin(from, to)
	if err := c.extend(ctx, target, stamps, to, func() bool { return c.newest >= offset }); err != nil {
		return Translation{}, err
	}
	after, next, found := c.boundary(offset, from)
	switch {
	case found:
	case offset <= c.newest+1, !known && offset == first:
		next = to
	case known && offset <= progress && visible(ctx, target, to):
		next = to // nothing was copied from the offsets in between
	default:
		return Translation{}, fmt.Errorf("topic %s, source queue %s: position %d: %w: the lane is at %d",
			lane.Topic, lane.Source, offset, ErrNotCopiedYet, max(progress, c.newest+1))
	}
	return Translation{Target: after, Exact: after == next, Unread: c.nativesBefore(after, from)}, nil
}

// visible reports whether the queue shows everything up to the lane's hint: brokers show a message shortly after they stored it.
func visible(ctx context.Context, target queue, end int64) bool {
	hint, known, err := target.position(ctx)
	return err == nil && (!known || hint <= end)
}

// aligned looks for the copy of the offset where it lies if nothing but copies lie before it. Found there, it is proven: every
// position before it is needed for the copies before it.
func aligned(ctx context.Context, target queue, stamps stamper, from, to, offset int64) (at int64, found bool, err error) {
	if from >= to {
		return 0, false, nil
	}
	m, there, err := target.one(ctx, from)
	begin, ours := stamps.offset(m)
	at = from + offset - begin
	if err != nil || !there || !ours || offset < begin || at >= to {
		return 0, false, err
	}
	m, there, err = target.one(ctx, at)
	stamped, ours := stamps.offset(m)
	return at, there && ours && stamped == offset, err
}

// Back translates a position on the target to the source: the smallest source offset so that no copy at or after the position
// is skipped. Natives at or after it are counted as unread: who reads the source doesn't get them.
func (p *Positions) Back(ctx context.Context, lane Lane, targetPosition int64) (Translation, error) {
	source, target := p.queues(lane)
	stamps, err := p.stamps(ctx, lane)
	if err != nil {
		return Translation{}, err
	}
	first, end, err := source.bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	progress, started, err := source.position(ctx)
	if err != nil {
		return Translation{}, err
	}
	hint, hinted, err := target.position(ctx) // after the progress: the copies of everything before that lie before the hint
	if err != nil {
		return Translation{}, err
	}
	from, to, err := target.bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	position := min(max(targetPosition, from), to)
	if started && hinted && hint <= position && progress >= end && progress > 0 {
		return Translation{Target: min(progress, end), Exact: true, Unread: to - position}, nil
	}
	newest, err := lastStamp(ctx, target, stamps, from, position)
	if err != nil {
		return Translation{}, err
	}
	next, unread, err := following(ctx, target, stamps, newest, position, to)
	if err != nil {
		return Translation{}, err
	}
	back := first
	if newest >= 0 {
		back = min(max(newest+1, first), end)
	}
	return Translation{Target: back, Exact: back == newest+1 && (next < 0 || next == back), Unread: unread}, nil
}

// lastStamp is the stamped offset of the last message before the position that carries one, -1 without any. It may be an old
// stamp that an application carried along: then it is lower than the last copy's, and reading from there repeats a few.
func lastStamp(ctx context.Context, target queue, stamps stamper, from, position int64) (int64, error) {
	last, ok, err := target.lastBefore(ctx, from, position, func(m placed) bool {
		_, ours := stamps.offset(m.Message)
		return ours
	})
	if err != nil || !ok {
		return -1, err
	}
	offset, _ := stamps.offset(last.Message)
	return offset, nil
}

// following finds the offset of the first copy at or after the position, -1 without any, and counts the natives there.
func following(ctx context.Context, target queue, stamps stamper, newest, position, to int64) (next, natives int64, err error) {
	rest := &cuts{at: position, newest: newest}
	err = rest.extend(ctx, target, stamps, to, func() bool { return false })
	if len(rest.runs) == 0 {
		return -1, rest.natives.Count, err
	}
	return rest.runs[0].offset, rest.natives.Count, err
}

// Natives finds the natives on the lane's target queue. Repeated copies count as natives.
func (p *Positions) Natives(ctx context.Context, lane Lane) (Natives, error) {
	_, target := p.queues(lane)
	stamps, err := p.stamps(ctx, lane)
	if err != nil {
		return Natives{}, err
	}
	from, to, err := target.bounds(ctx)
	if err != nil {
		return Natives{}, err
	}
	c := p.cutsOf(lane)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begin(from, to)
	err = c.extend(ctx, target, stamps, to, func() bool { return false })
	return c.natives, err
}

func (p *Positions) cutsOf(lane Lane) *laneCuts {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known[lane] == nil {
		p.known[lane] = &laneCuts{cuts: cuts{newest: -1}}
	}
	return p.known[lane]
}

// begin makes the cuts fit what the queue holds now. A queue that ends before what was seen was made anew.
func (c *cuts) begin(from, to int64) {
	if to < c.at {
		*c = cuts{newest: -1}
	}
	c.at = max(c.at, from)
}

// nativesBefore counts what lies before the position and isn't a copy.
func (c *cuts) nativesBefore(position, from int64) int64 {
	count := position - from
	for _, r := range c.runs {
		count -= max(0, min(r.end(), position)-max(r.position, from))
	}
	return max(0, count)
}
