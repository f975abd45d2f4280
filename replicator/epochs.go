package replicator

import "context"

// epochOf is the newest epoch of the copies that a lane made on a queue, of those about the last one: applications may send older
// ones again.
func epochOf(ctx context.Context, q queue, stamps *stamper) (int, error) {
	first, last, err := q.bounds(ctx)
	if err != nil {
		return 0, err
	}
	epoch := 0
	ours := func(m placed) bool {
		stamp, ok := ParseStamp(m.Properties)
		if ok = ok && stamps.made(stamp); ok {
			epoch = max(epoch, stamp.Epoch)
		}
		return ok
	}
	near := max(first, last-window)
	found := false
	if err := q.each(ctx, near, last, func(m placed) bool { found = ours(m) || found; return true }); err != nil || found {
		return epoch, err
	}
	_, _, err = q.lastBefore(ctx, first, near, ours)
	return epoch, err
}
