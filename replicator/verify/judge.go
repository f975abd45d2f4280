package verify

import (
	"context"

	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// judge compares the next message on the target.
func (v *verification) judge(ctx context.Context, m replica.Message) error {
	offset, born, ours := v.stamps.Read(m.Message)
	switch {
	case !ours:
		v.judgeForeign(m)
		return nil
	case offset <= v.newest:
		return v.judgeOld(ctx, offset, m)
	}
	if v.newest < 0 && v.expired && offset > v.From && offset <= v.To {
		v.From = offset // older copies have expired
		v.source.seek(offset)
	}
	if impossible, err := v.behindEnd(ctx, offset, m.Position); impossible || err != nil {
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
	case there && original.Position == offset:
		v.source.take()
		v.compare(original, m, born)
	default:
		return v.withoutOriginal(ctx, offset, m.Position)
	}
	return nil
}

// judgeForeign judges a message that the lane hasn't copied. A copy that was made for this queue
// from another queue of the source is of a run that paired the topic's queues otherwise; but lanes
// of retry topics may have copied to other queues before.
func (v *verification) judgeForeign(m replica.Message) {
	stamp, ok := replica.ParseStamp(m.Properties)
	from := lane.Queue{Broker: stamp.Broker, ID: stamp.Queue}
	if !ok || from == v.Source || replica.Alone(v.Topic) || !stamp.IntoFrom(v.stamps.Names, v.Topic, v.Target) {
		v.Natives++
		return
	}
	v.extra(
		-1,
		m.Position,
		"position %d on the target is a copy of source queue %s, whose lane goes elsewhere by now: "+
			"an earlier run didn't see all of the source",
		m.Position,
		from,
	)
}

// behindEnd judges a copy whose stamped offset the source hasn't reached.
func (v *verification) behindEnd(ctx context.Context, offset, position int64) (bool, error) {
	if offset < v.end {
		return false, nil
	}
	_, end, err := v.source.Bounds(ctx) // the lane may have copied newer messages
	if v.end = max(v.end, end); err != nil || offset < v.end {
		return false, err
	}
	v.extra(offset, position, "position %d on the target is stamped with offset %d, and the source ends at %d",
		position, offset, v.end)
	return true, nil
}

// withoutOriginal judges a copy whose original the source doesn't hold.
func (v *verification) withoutOriginal(ctx context.Context, offset, position int64) error {
	first, _, err := v.source.Bounds(ctx)
	v.begin = max(v.begin, first)
	if err == nil && offset >= first { // otherwise it has expired since the comparison began
		v.extra(offset, position,
			"position %d on the target is stamped with offset %d, where the source has no message", position,
			offset)
	}
	return err
}

// jump goes on to an offset on the source: the messages before it have no copy so far.
func (v *verification) jump(ctx context.Context, offset int64) error {
	for {
		m, more, err := v.source.peek(ctx)
		if err != nil {
			return err
		}
		if !more || m.Position >= offset {
			return nil
		}
		v.source.take()
		if v.fromTarget(m) {
			v.Back++
			continue
		}
		v.Missing++
		if n := len(v.missing); n > 0 && v.missing[n-1].To == m.Position {
			v.missing[n-1].To++
		} else {
			v.missing = append(v.missing, lane.Span{From: m.Position, To: m.Position + 1})
		}
	}
}

// compare checks the content of a copy. born is the original's born time by the stamp, where the
// copy has another one.
func (v *verification) compare(original, copied replica.Message, born int64) {
	v.Compared++
	if born == 0 {
		born = copied.BornTimestamp
	}
	field, detail, same := replica.CompareContent(original.Message, copied.Message, born, v.inert)
	if !same && v.either && replica.SentAlone(copied.Message) {
		_, _, same = replica.CompareContent(original.Message, copied.Message, born, true)
	}
	if !same {
		v.altered(original.Position, copied.Position, field, detail)
	}
}

// judgeOld judges a message whose stamp isn't newer than those before it: an application's own with
// an old stamp, a late copy, or a repeated one.
func (v *verification) judgeOld(ctx context.Context, offset int64, m replica.Message) error {
	if offset < v.From || offset < v.begin || offset >= v.To {
		v.Natives++
		return nil
	}
	original, there, err := v.source.One(ctx, offset)
	if err != nil {
		return err
	}
	if there {
		_, there = replica.SameMessage(&original, m.Message)
	}
	switch {
	case !there:
		v.Natives++
	case v.found(offset):
		v.Compared++
		v.late(offset, m.Position)
	default:
		v.extra(offset, m.Position, "offset %d is on the target once more, at position %d", offset, m.Position)
	}
	return nil
}
