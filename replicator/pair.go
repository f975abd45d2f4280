package replicator

import (
	"context"

	"golang.org/x/sync/errgroup"
)

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
// shows in the queues. Both sides are asked at the same time, since clients wait while a queue moves.
func (p *Positions) pair(ctx context.Context, lane Lane) (*pair, error) {
	var there, here *half
	err := both(func() (err error) { there, err = p.half(ctx, lane); return err }, func() (err error) { here, err = p.Reversed().half(ctx, lane.Back()); return err })
	if err != nil {
		return nil, err
	}
	bounds := func(h *half) func() error {
		return func() (err error) { h.from, h.to, err = h.bounds(ctx); return err }
	}
	if err := both(bounds(there), bounds(here)); err != nil {
		return nil, err
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

// both does two things at the same time.
func both(one, two func() error) error {
	var all errgroup.Group
	all.Go(one)
	err := two()
	if first := all.Wait(); first != nil {
		return first
	}
	return err
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
