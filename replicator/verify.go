package replicator

import (
	"context"
	"fmt"
	"slices"

	"rocketshift/internal/rocketmq"
)

// maxExamples is how many differences a report shows of a lane.
const maxExamples = 5

// VerifyOptions are the settings of a comparison.
type VerifyOptions struct {
	Group string // the lanes' consumer group, whose progress says how far the comparison goes
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
	Missing    int64    `json:"missing"`            // originals without a copy
	Extra      int64    `json:"extra"`              // repeated copies, and copies of nothing
	Altered    int64    `json:"altered"`            // copies with other content
	OutOfOrder int64    `json:"outOfOrder"`         // copies behind the copy of a later message
	Examples   []string `json:"examples,omitempty"` // the first 5 differences
}

// VerifyLane compares the lane's two replicas by content: everything that the source holds when it begins, up to the lane's
// progress at that time. It reads both queues once, side by side, and keeps no more than a page of each. Progress, if given, is
// called now and then with the number of copies compared.
func VerifyLane(ctx context.Context, source, target *rocketmq.Cluster, lane Lane, o VerifyOptions, progress func(compared int64)) (LaneReport, error) {
	return newPositions(newBrokers("source", source), newBrokers("target", target), o.Group).verify(ctx, lane, progress)
}

// verification is one comparison at work.
type verification struct {
	LaneReport
	stamps  stamper
	source  cursor
	target  cursor
	newest  int64  // highest stamped offset seen on the target
	missing []span // source offsets whose copies were jumped over
}

// span is the offsets [from, to).
type span struct{ from, to int64 }

func (p *Positions) verify(ctx context.Context, lane Lane, progress func(compared int64)) (LaneReport, error) {
	v, err := p.newVerification(ctx, lane)
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

func (p *Positions) newVerification(ctx context.Context, lane Lane) (*verification, error) {
	stamps, err := p.stamps(ctx, lane)
	if err != nil {
		return nil, err
	}
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
	from, to, err := target.bounds(ctx)
	if err != nil {
		return nil, err
	}
	upTo := max(first, min(copied, end))
	return &verification{
		LaneReport: LaneReport{Topic: lane.Topic, Source: lane.Source, Target: lane.Target, From: first, To: upTo},
		stamps:     stamps, newest: -1,
		source: cursor{queue: source, at: first, end: upTo},
		target: cursor{queue: target, at: from, end: to},
	}, nil
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
	if v.newest < 0 && m.position > 0 && offset > v.From && offset <= v.To {
		v.expire(offset) // the target holds no older copies any more: it began with an older message once
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
	case offset >= v.From: // else it expired just now
		v.Extra++
		v.example("extra: position %d on the target is stamped with offset %d, where the source has no message", m.position, offset)
	}
	return nil
}

// expire leaves out what is below the offset: it is no longer on one of the sides.
func (v *verification) expire(offset int64) {
	v.From = offset
	if v.source.at < offset {
		v.source.at, v.source.page = offset, nil
	}
}

// jump goes on to the offset on the source: what lies before it has no copy so far.
func (v *verification) jump(ctx context.Context, offset int64) error {
	for {
		begin := v.source.at
		m, more, err := v.source.peek(ctx)
		if err != nil {
			return err
		}
		if len(v.missing) == 0 && v.Compared == 0 && more && m.position > begin && begin == v.From {
			v.From = m.position // expired since the comparison began
		}
		if !more || m.position >= offset {
			return nil
		}
		v.source.take()
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
		_, there = SameMessage(original, m.Message)
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
