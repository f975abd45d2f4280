package replicator

import "context"

// pair is a lane's two queues while they are looked at together: what is known of one saves reading the other, since the original of
// a copy is no copy, and need not be read to know that. So long histories cost a few reads.
type pair struct {
	here, there *half // on the source, with the reverse lane's copies; on the target, with the lane's
	unlock      func()
}

// half is one queue of a pair.
type half struct {
	*laneCuts
	queue
	stamps   stamper
	from, to int64 // the queue holds [from, to)
	read     int64 // offset on the other side up to which its lane has copied, or given up
	began    bool  // that lane has run
}

// pair locks what is known of the lane's queues and finds what they hold now. What lanes have copied is read first: all of it then
// shows in the queues.
func (p *Positions) pair(ctx context.Context, lane Lane) (*pair, error) {
	there, err := p.half(ctx, lane)
	if err != nil {
		return nil, err
	}
	here, err := p.Reversed().half(ctx, lane.Back())
	if err != nil {
		return nil, err
	}
	for _, h := range []*half{there, here} {
		if h.from, h.to, err = h.bounds(ctx); err != nil {
			return nil, err
		}
	}
	first, second := there, here
	if here.group < there.group { // in the same order whichever way the lane is looked at
		first, second = here, there
	}
	first.mu.Lock()
	second.mu.Lock()
	for _, h := range []*half{there, here} {
		h.begin(h.from, h.to)
	}
	return &pair{here, there, func() { first.mu.Unlock(); second.mu.Unlock() }}, nil
}

func (p *Positions) half(ctx context.Context, lane Lane) (*half, error) {
	source, target := p.queues(lane)
	read, began, err := source.position(ctx)
	return &half{laneCuts: p.cutsOf(lane), queue: target, stamps: newStamper(p.names, lane), read: read, began: began}, err
}

// extend reads on until everything is known of both queues, or of the target's alone. Where natives are met, the other queue may know
// more of them.
func (p *pair) extend(ctx context.Context, targetOnly bool) error {
	for {
		if err := p.there.page(ctx, p.here); err != nil {
			return err
		}
		if p.there.whole() && (targetOnly || p.here.whole()) {
			return nil
		}
		if err := p.here.page(ctx, p.there); err != nil {
			return err
		}
	}
}

// page reads on until natives had to be read to be known.
func (h *half) page(ctx context.Context, other *half) error {
	skipped, before := int64(0), h.natives.Count
	known := func(at int64) int64 {
		end := other.originals(at)
		skipped += max(0, min(end, h.to)-at)
		return end
	}
	return h.cuts.extend(ctx, h.queue, h.stamps, h.to, known, func() bool { return h.natives.Count-before > skipped })
}

func (h *half) whole() bool { return h.at >= h.to }

// replica is a copy of what is known, for use without the lock.
func (h *half) replica() replicaCuts {
	r := replicaCuts{cuts: h.cuts, from: h.from, to: h.to, read: h.read, began: h.began}
	r.runs = append([]run(nil), h.runs...)
	return r
}
