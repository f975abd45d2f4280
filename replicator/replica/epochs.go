package replica

import "context"

// EpochOf is the newest epoch of the copies that a lane made on a queue. It looks at several copies
// near the last one, since applications may send older ones again.
func EpochOf(ctx context.Context, q Reader, stamps *Stamper) (int, error) {
	first, last, err := q.Bounds(ctx)
	if err != nil {
		return 0, err
	}
	epoch := 0
	ours := func(m Message) bool {
		stamp, ok := ParseStamp(m.Properties)
		if ok = ok && stamps.Made(stamp); ok {
			epoch = max(epoch, stamp.Epoch)
		}
		return ok
	}
	near := max(first, last-Window)
	found := false
	if err := q.Each(ctx, near, last, func(m Message) bool { found = ours(m) || found; return true }); err != nil ||
		found {
		return epoch, err
	}
	_, _, err = q.LastBefore(ctx, first, near, ours)
	return epoch, err
}

// Window is how many messages further back a search looks for the newest copy where no hint says
// where it is. A message that an application sent again carries an older stamp, and real copies lie
// shortly before it.
const Window = 1024
