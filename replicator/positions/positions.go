package positions

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// ErrNotCopiedYet says that the lane hasn't copied everything before the position yet: translate
// again later.
var ErrNotCopiedYet = errors.New("not copied yet")

// Translation is a position on the other side.
type Translation struct {
	Target int64 `json:"target"` // the position: on the target for Forward, on the source for Back
	// a reader there goes on at exactly the next message; else it may see a few more
	Exact   bool  `json:"exact"`
	Repeats int64 `json:"repeats,omitempty"` // messages that the reader sees again; of Across only
	// messages on the target that the reader doesn't get: natives before Target (Forward), or those
	// that it leaves there (Back)
	Unread int64 `json:"unread"`
}

// Natives are the messages on a target queue that no lane has copied there.
type Natives struct {
	Count int64 `json:"count"`
	First int64 `json:"first"` // positions of the first and the last; both 0 without natives
	Last  int64 `json:"last"`
}

// Positions translates positions between the two replicas of lanes. It remembers the order of
// copies that it has seen, so keep one: then it reads little. Several goroutines may use it.
type Positions struct {
	source, target replica.Side
	names, back    replica.Names // of the lanes, and of those in the other direction

	lock  *sync.Mutex
	known map[cutsKey]*laneCuts
}

// cutsKey is a queue that lanes of a group copy to. The lane alone isn't enough: where brokers have
// the same names on both sides, a lane may equal its own reverse.
type cutsKey struct {
	group string
	lane  lane.Lane
}

type laneCuts struct {
	mu sync.Mutex
	cuts
	progress progressAt
}

// progressAt is what the lane's copier had committed at some time.
type progressAt struct {
	offset int64
	hint   int64 // position after its newest copy then, or a later one
	began  bool  // it has committed anything
	at     time.Time
}

// mixed reports whether the queue is known to hold more than one run of copies.
func (c *laneCuts) mixed() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.runs) > 1 || c.natives.Count > 0
}

// New translates for the forward lanes with these names, and Reversed for their reverse lanes.
func New(source, target *rocketmq.Cluster, names replica.Names) *Positions {
	return Of(replica.NewBrokers(lane.SideSource, source), replica.NewBrokers(lane.SideTarget, target), names)
}

// Of is New for any two sides.
func Of(source, target replica.Side, names replica.Names) *Positions {
	return &Positions{
		source: source,
		target: target,
		names:  names,
		back:   names.Back(),
		lock:   &sync.Mutex{},
		known:  map[cutsKey]*laneCuts{},
	}
}

// Reversed translates for the reverse lanes, from the target to the source; give it lane.Back() for
// each lane. Both share what they remember.
func (p *Positions) Reversed() *Positions {
	return &Positions{source: p.target, target: p.source, names: p.back, back: p.names, lock: p.lock, known: p.known}
}

func (p *Positions) queues(lane lane.Lane) (source, target replica.Reader) {
	source = replica.Reader{Side: p.source, Group: p.names.Group, Topic: lane.Topic, Queue: lane.Source}
	target = replica.Reader{Side: p.target, Group: p.names.Group, Topic: lane.Topic, Queue: lane.Target}
	return source, target
}

// Progress returns the source offset up to which the lane has copied, and the end of the source
// queue. A lane that hasn't started is at the beginning of its queue.
func (p *Positions) Progress(ctx context.Context, lane lane.Lane) (copied, sourceMax int64, err error) {
	source, _ := p.queues(lane)
	copied, known, err := source.Position(ctx)
	if err != nil {
		return 0, 0, err
	}
	first, end, err := source.Bounds(ctx)
	if !known {
		copied = first
	}
	return copied, end, err
}

// Forward translates a position on the source, of a reader that has read everything before it and
// nothing else. The result is the position after the copy of the last message read, so that nothing
// unread lies before it. Natives and repeated copies after it make it inexact, since the reader
// sees them too. A position before the first message of the queue counts as the first, one after
// its end as the end. ErrNotCopiedYet says that the lane must copy more first.
func (p *Positions) Forward(ctx context.Context, lane lane.Lane, sourceOffset int64) (Translation, error) {
	source, target := p.queues(lane)
	stamps := replica.NewStamper(p.names, lane)
	first, end, err := source.Bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	offset := min(max(sourceOffset, first), end)
	progress, known, err := source.Position(ctx) // read before the target's end, so that the target holds all of it
	if err != nil {
		return Translation{}, err
	}
	from, to, err := target.Bounds(ctx)
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
	if err := c.extend(ctx, target, stamps, to, nil, func() bool { return c.newest >= offset }); err != nil {
		return Translation{}, err
	}
	after, next, found := c.boundary(offset, from)
	switch {
	case found:
	case offset <= c.newest+1, !known && offset == first:
		next = to
	case known && offset <= progress && Visible(ctx, target, to):
		next = to // the offsets in between have no copies
	default:
		return Translation{}, fmt.Errorf("topic %s, source queue %s: position %d: %w: the lane is at %d",
			lane.Topic, lane.Source, offset, ErrNotCopiedYet, max(progress, c.newest+1))
	}
	return Translation{Target: after, Exact: after == next, Unread: c.nativesBefore(after, from)}, nil
}

// Visible reports whether the queue shows everything up to the lane's hint: brokers show a message
// shortly after they stored it.
func Visible(ctx context.Context, target replica.Reader, end int64) bool {
	hint, known, err := target.Position(ctx)
	return err == nil && (!known || hint <= end)
}

// aligned looks for the copy of the offset at the place where it lies if nothing but copies lie
// before it. Found there, it is proved: the copies before it need every position before it.
func aligned(
	ctx context.Context,
	target replica.Reader,
	stamps replica.Stamper,
	from, to, offset int64,
) (at int64, found bool, err error) {
	if from > 0 || from >= to { // a queue whose beginning has expired may begin with an old stamp
		return 0, false, nil
	}
	m, there, err := target.One(ctx, from)
	begin, ours := stamps.Offset(&m)
	at = from + offset - begin
	if err != nil || !there || !ours || offset < begin || at >= to {
		return 0, false, err
	}
	m, there, err = target.One(ctx, at)
	stamped, ours := stamps.Offset(&m)
	return at, there && ours && stamped == offset, err
}

// Back translates a position on the target to the source: to the smallest source offset that skips
// no copy at or after the position. Messages there that aren't on the source count as unread:
// natives, repeated copies, and copies whose originals have expired.
func (p *Positions) Back(ctx context.Context, lane lane.Lane, targetPosition int64) (Translation, error) {
	source, target := p.queues(lane)
	stamps := replica.NewStamper(p.names, lane)
	first, end, err := source.Bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	progress, started, err := source.Position(ctx)
	if err != nil {
		return Translation{}, err
	}
	hint, hinted, err := target.Position(
		ctx,
	) // read after the progress: all copies of what lies before that lie before the hint
	if err != nil {
		return Translation{}, err
	}
	from, to, err := target.Bounds(ctx)
	if err != nil {
		return Translation{}, err
	}
	position := min(max(targetPosition, from), to)
	if started && hinted && progress >= end && from < hint && hint <= position {
		last, there, err := target.One(ctx, hint-1)
		if err != nil {
			return Translation{}, err
		}
		// A target that was killed may have gone back to an older hint.
		if offset, ours := stamps.Offset(&last); there && ours && offset == progress-1 {
			return Translation{Target: end, Exact: true, Unread: to - position}, nil
		}
	}
	c, err := p.extended(ctx, lane, target, stamps, from, to)
	if err != nil {
		return Translation{}, err
	}
	defer c.mu.Unlock()
	newest, next, natives := c.around(position)
	result := Translation{Target: max(newest+1, first), Exact: true, Unread: natives}
	if next >= 0 && next != result.Target {
		result.Exact = false
		result.Unread += max(0, result.Target-next) // expired on the source
	}
	return result, nil
}

// Natives finds the natives on the lane's target queue. Repeated copies count as natives.
func (p *Positions) Natives(ctx context.Context, lane lane.Lane) (Natives, error) {
	two, err := p.pair(ctx, lane, false)
	if err != nil {
		return Natives{}, err
	}
	defer two.unlock()
	err = two.extend(ctx, true)
	return two.there.natives, err
}

// NativesFrom counts the natives on the lane's target queue from a position on.
func (p *Positions) NativesFrom(ctx context.Context, lane lane.Lane, position int64) (int64, error) {
	two, err := p.pair(ctx, lane, false)
	if err != nil {
		return 0, err
	}
	defer two.unlock()
	if err := two.extend(ctx, true); err != nil {
		return 0, err
	}
	_, _, natives := two.there.around(position)
	return natives, nil
}

// extended returns the lane's cuts, locked, when they cover the whole queue.
func (p *Positions) extended(
	ctx context.Context,
	lane lane.Lane,
	target replica.Reader,
	stamps replica.Stamper,
	from, to int64,
) (*laneCuts, error) {
	c := p.cutsOf(lane)
	c.mu.Lock()
	c.begin(from, to)
	if err := c.extend(ctx, target, stamps, to, nil, func() bool { return false }); err != nil {
		c.mu.Unlock()
		return nil, err
	}
	return c, nil
}

func (p *Positions) cutsOf(lane lane.Lane) *laneCuts {
	p.lock.Lock()
	defer p.lock.Unlock()
	key := cutsKey{p.names.Group, lane}
	if p.known[key] == nil {
		p.known[key] = &laneCuts{cuts: cuts{newest: -1}}
	}
	return p.known[key]
}
