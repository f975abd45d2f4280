package replicator

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rocketshift/internal/rocketmq"
)

// maxExamples is how many differences a report shows of a lane.
const maxExamples = 5

// showTime is far longer than brokers need to show what they have stored, milliseconds even when they are busy.
const showTime = 3 * time.Second

// VerifyOptions are the settings of a comparison.
type VerifyOptions struct {
	Names       // of the lanes, whose progress says how far the comparison goes
	From  int64 // the source offset to begin at, if the source still holds it
}

// LaneReport is the result of comparing a lane's two replicas.
type LaneReport struct {
	Topic      string   `json:"topic"`
	Source     Queue    `json:"source"`
	Target     Queue    `json:"target"`
	From       int64    `json:"from"` // source offsets from From up to, not including, To are compared
	To         int64    `json:"to"`
	Compared   int64    `json:"compared"`           // copies that were compared with their originals
	Natives    int64    `json:"natives"`            // messages on the target that no lane copied there; no difference
	Back       int64    `json:"back"`               // messages on the source that the reverse lane copied there; no difference
	Missing    int64    `json:"missing"`            // originals without a copy
	Extra      int64    `json:"extra"`              // repeated copies, and copies of nothing
	Altered    int64    `json:"altered"`            // copies with other content
	OutOfOrder int64    `json:"outOfOrder"`         // copies behind the copy of a later message
	Examples   []string `json:"examples,omitempty"` // the first 5 differences
}

// VerifyLane compares the lane's two replicas by content: everything that the source holds when it begins, or what is asked for
// of it, up to the lane's progress at that time. It reads both queues once, side by side, and keeps no more than a page of each. Progress, if given, is
// called now and then with the number of copies compared.
func VerifyLane(ctx context.Context, source, target *rocketmq.Cluster, lane Lane, o VerifyOptions, progress func(compared int64)) (LaneReport, error) {
	return newPositions(newBrokers("source", source), newBrokers("target", target), o.Names).verify(ctx, lane, o.From, progress)
}

// verification is one comparison at work.
type verification struct {
	LaneReport
	stamps  stamper
	reverse stamper // of the reverse lane
	back    int64   // newest stamped offset of the reverse lane's copies on the source, -1 before the first
	source  cursor
	target  cursor
	newest  int64  // highest stamped offset seen on the target
	end     int64  // of the source queue, as last seen
	expired bool   // the target no longer holds the beginning of its queue
	missing []span // source offsets whose copies were jumped over
}

// span is the offsets [from, to).
type span struct{ from, to int64 }

func (p *Positions) verify(ctx context.Context, lane Lane, from int64, progress func(compared int64)) (LaneReport, error) {
	v, err := p.newVerification(ctx, lane, from)
	if err != nil {
		return LaneReport{}, err
	}
	for n := 0; ; n++ {
		m, more, err := v.target.peek(ctx)
		if err == nil && more {
			v.target.take()
			err = v.judge(ctx, m)
		}
		if err != nil {
			return v.LaneReport, err
		}
		if progress != nil && n%pageMessages == 0 {
			progress(v.Compared)
		}
		if !more {
			break
		}
	}
	if err := v.jump(ctx, v.To); err != nil {
		return v.LaneReport, err
	}
	v.reportMissing()
	return v.LaneReport, nil
}

func (p *Positions) newVerification(ctx context.Context, lane Lane, begin int64) (*verification, error) {
	stamps := newStamper(p.names, lane)
	source, target := p.queues(lane)
	first, end, err := source.bounds(ctx)
	if err != nil {
		return nil, err
	}
	copied, known, err := source.position(ctx) // before the target's end, which then shows all of it
	if err != nil {
		return nil, err
	}
	if !known {
		copied = first
	}
	from, to, err := shown(ctx, target)
	if err != nil {
		return nil, err
	}
	upTo, expired := max(first, min(copied, end)), from > 0
	if begin > first {
		first = min(begin, upTo)
		t, err := p.Forward(ctx, lane, first)
		if err != nil {
			return nil, err
		}
		from, expired = t.Target, expired && t.Target == from
	}
	return &verification{
		LaneReport: LaneReport{Topic: lane.Topic, Source: lane.Source, Target: lane.Target, From: first, To: upTo},
		stamps:     stamps, newest: -1, expired: expired, end: end,
		reverse: newStamper(p.names.Back(), lane.Back()), back: -1,
		source: cursor{queue: source, at: first, end: upTo},
		target: cursor{queue: target, at: from, end: to},
	}, nil
}

// shown returns the target's bounds when it shows everything up to the lane's hint: brokers show a message a moment after they
// have stored it. One that doesn't catch up is compared as it is.
func shown(ctx context.Context, target queue) (first, end int64, err error) {
	deadline := time.Now().Add(showTime)
	for {
		if first, end, err = target.bounds(ctx); err != nil || visible(ctx, target, end) || time.Now().After(deadline) {
			return first, end, err
		}
		if err := sleep(ctx, showTime/100); err != nil {
			return 0, 0, err
		}
	}
}

// judge takes the next message on the target.
func (v *verification) judge(ctx context.Context, m placed) error {
	offset, ours := v.stamps.offset(m.Message)
	switch {
	case !ours:
		v.Natives++
		return nil
	case offset <= v.newest:
		return v.judgeOld(ctx, offset, m)
	}
	if v.newest < 0 && v.expired && offset > v.From && offset <= v.To {
		v.From, v.source.at = offset, offset // older copies have expired
	}
	if impossible, err := v.behindEnd(ctx, offset, m.position); impossible || err != nil {
		return err
	}
	v.newest = offset
	if offset < v.From || offset >= v.To {
		return nil // its original expired, or it was copied after the comparison began
	}
	if err := v.jump(ctx, offset); err != nil {
		return err
	}
	original, there, err := v.source.peek(ctx)
	switch {
	case err != nil:
		return err
	case there && original.position == offset:
		v.source.take()
		v.compare(original, m)
	default:
		return v.withoutOriginal(ctx, offset, m.position)
	}
	return nil
}

// behindEnd takes a copy that is stamped with an offset which the source hasn't reached.
func (v *verification) behindEnd(ctx context.Context, offset, position int64) (bool, error) {
	if offset < v.end {
		return false, nil
	}
	_, end, err := v.source.bounds(ctx) // the lane may have copied what came since
	if v.end = max(v.end, end); err != nil || offset < v.end {
		return false, err
	}
	v.Extra++
	v.example("extra: position %d on the target is stamped with offset %d, and the source ends at %d", position, offset, v.end)
	return true, nil
}

// withoutOriginal takes a copy whose original the source doesn't hold.
func (v *verification) withoutOriginal(ctx context.Context, offset, position int64) error {
	first, _, err := v.source.bounds(ctx)
	if err == nil && offset >= first { // else it expired since the comparison began
		v.Extra++
		v.example("extra: position %d on the target is stamped with offset %d, where the source has no message", position, offset)
	}
	return err
}

// jump goes on to the offset on the source: what lies before it has no copy so far.
func (v *verification) jump(ctx context.Context, offset int64) error {
	for {
		m, more, err := v.source.peek(ctx)
		if err != nil {
			return err
		}
		if !more || m.position >= offset {
			return nil
		}
		v.source.take()
		if v.fromTarget(m) {
			v.Back++
			continue
		}
		v.Missing++
		if n := len(v.missing); n > 0 && v.missing[n-1].to == m.position {
			v.missing[n-1].to++
		} else {
			v.missing = append(v.missing, span{m.position, m.position + 1})
		}
	}
}

// compare checks the content of a copy.
func (v *verification) compare(original, copied placed) {
	v.Compared++
	if difference, same := SameMessage(original.Message, copied.Message); !same {
		v.Altered++
		v.example("altered: offset %d, position %d on the target: %s", original.position, copied.position, difference)
	}
}

// judgeOld takes a message whose stamp isn't newer than those before it: an application's own that carries an old stamp along,
// a copy that comes late, or one that is there twice.
func (v *verification) judgeOld(ctx context.Context, offset int64, m placed) error {
	if offset < v.From || offset >= v.To {
		v.Natives++
		return nil
	}
	original, there, err := v.source.one(ctx, offset)
	if err != nil {
		return err
	}
	if there {
		_, there = SameMessage(&original, m.Message)
	}
	switch {
	case !there:
		v.Natives++
	case v.found(offset):
		v.Missing--
		v.OutOfOrder++
		v.Compared++
		v.example("out of order: offset %d is at position %d on the target, behind the copy of offset %d", offset, m.position, v.newest)
	default:
		v.Extra++
		v.example("extra: offset %d is on the target once more, at position %d", offset, m.position)
	}
	return nil
}

// found takes the offset out of the missing ones.
func (v *verification) found(offset int64) bool {
	i := slices.IndexFunc(v.missing, func(s span) bool { return s.from <= offset && offset < s.to })
	if i < 0 {
		return false
	}
	s := v.missing[i]
	var rest []span
	for _, part := range []span{{s.from, offset}, {offset + 1, s.to}} {
		if part.from < part.to {
			rest = append(rest, part)
		}
	}
	v.missing = slices.Replace(v.missing, i, i+1, rest...)
	return true
}

func (v *verification) reportMissing() {
	for _, s := range v.missing {
		v.example("missing: offsets %d to %d of source queue %s have no copy on the target", s.from, s.to-1, v.Source)
	}
}

func (v *verification) example(format string, args ...any) {
	if len(v.Examples) < maxExamples {
		v.Examples = append(v.Examples, fmt.Sprintf(format, args...))
	}
}
