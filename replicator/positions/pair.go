package positions

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// pair is the two queues of a lane, looked at together. What is known of one saves reading the
// other: the original of a copy is no copy itself, which is thus known without reading it. So long
// histories cost a few reads.
type pair struct {
	here, there *half // on the source, with the reverse lane's copies; on the target, with the lane's
	unlock      func()
}

// half is one queue of a pair.
type half struct {
	*laneCuts
	origin replica.Reader // on the other side
	replica.Reader
	stamps   replica.Stamper
	from, to int64 // the queue holds [from, to)
	read     int64 // offset on the other side up to which its lane has copied or skipped
	began    bool  // that lane has run
}

// pair locks what is known of the lane's queues and finds what they hold now. It asks both sides at
// the same time, since clients wait while a queue moves. A glance uses the lanes' progress that was
// seen just before.
func (p *Positions) pair(ctx context.Context, lane lane.Lane, glance bool) (*pair, error) {
	there, here := p.half(lane), p.Reversed().half(lane.Back())
	first, second := there, here
	if here.Group < there.Group { // the locks are taken in the same order for both directions
		first, second = here, there
	}
	first.mu.Lock()
	second.mu.Lock()
	unlock := func() { first.mu.Unlock(); second.mu.Unlock() }
	if err := both(func() error { return there.refresh(ctx, glance) }, func() error { return here.refresh(ctx, glance) }); err != nil {
		unlock()
		return nil, err
	}
	return &pair{here, there, unlock}, nil
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

func (p *Positions) half(lane lane.Lane) *half {
	source, target := p.queues(lane)
	return &half{laneCuts: p.cutsOf(lane), origin: source, Reader: target, stamps: replica.NewStamper(p.names, lane)}
}

// youngProgress is how long the progress of a lane may be used again for later looks. It is never
// too high, unless the lane's queue was made anew meanwhile.
const youngProgress = 2 * time.Second

// refresh finds how far the lane is and what the queue holds. The queue must show all copies up to
// that progress. So it asks for the progress first, and looks at the queue until it shows them:
// brokers show a message milliseconds after they acknowledged it.
func (h *half) refresh(ctx context.Context, glance bool) error {
	if !glance || time.Since(h.progress.at) > youngProgress {
		if err := h.ask(ctx); err != nil {
			return err
		}
	}
	for begin := time.Now(); ; {
		if err := h.look(ctx, 0); err != nil {
			return err
		}
		if h.goBy(h.progress) {
			return nil
		}
		if time.Since(begin) > replica.ShowTime || sleep.For(ctx, replica.LookPause) != nil {
			return fmt.Errorf(
				"topic %s, queue %s: %w: the lane has written up to %d, and the broker shows the queue up to %d",
				h.Topic, h.Queue, ErrNotCopiedYet, h.progress.hint, h.to,
			)
		}
	}
}

// goBy uses a progress that was asked for before the look, if the queue shows all that had been
// copied by then. Otherwise copies that the broker doesn't show yet would look like messages that
// the lane has left out, and a group that moves would skip them or read them again.
func (h *half) goBy(p progressAt) bool {
	if h.to < p.hint {
		return false
	}
	h.read, h.began = p.offset, p.began
	return true
}

// ask asks how far the lane is. The lane commits its hint, the position after its newest copy,
// before its progress. Read in the other order, the hint is that of the progress or a later one.
func (h *half) ask(ctx context.Context) error {
	begin := time.Now()
	offset, began, err := h.origin.Position(ctx)
	if err != nil {
		return err
	}
	hint, _, err := h.Position(ctx)
	if err == nil {
		h.progress = progressAt{offset, hint, began, begin}
	}
	return err
}

// look finds what the queue holds now. If the queue was read before, its next page also tells that,
// and may wait for a message.
func (h *half) look(ctx context.Context, wait time.Duration) (err error) {
	if h.at == 0 {
		h.from, h.to, err = h.Bounds(ctx)
		h.begin(h.from, h.to)
		return err
	}
	at := h.at
	result, err := h.AwaitPull(ctx, at, replica.PageMessages, wait)
	if err != nil {
		return err
	}
	h.from, h.to = max(result.Min, 0), max(result.Max, 0)
	if h.begin(h.from, h.to); h.at != at || at >= h.to {
		return nil
	}
	next, err := h.After(at, result)
	if err != nil {
		return err
	}
	h.take(replica.At(at, result), next, h.to, &h.stamps)
	return nil
}

// mostUnread bounds the messages that are read of those that a lane must still copy.
const mostUnread int64 = 100_000

// lag is about how many messages the lane must still copy: some of them may need no copy.
func (p *pair) lag() int64 {
	return p.here.to - max(p.here.at, p.there.newest+1, p.there.read)
}

// extend reads on until everything is known of both queues, or of the target's alone. Where it
// meets natives, the other queue may tell more of them.
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

// page reads on until natives had to be read.
func (h *half) page(ctx context.Context, other *half) error {
	skipped, before := int64(0), h.natives.Count
	known := func(at int64) int64 {
		end := other.originals(at)
		skipped += max(0, min(end, h.to)-at)
		return end
	}
	return h.cuts.extend(ctx, h.Reader, h.stamps, h.to, known, func() bool { return h.natives.Count-before > skipped })
}

func (h *half) whole() bool { return h.at >= h.to }

// replica copies what is known, for use without the lock.
func (h *half) replica() replicaCuts {
	r := replicaCuts{cuts: h.cuts, from: h.from, to: h.to, read: h.read, began: h.began}
	r.runs = append([]run(nil), h.runs...)
	return r
}
