package positions

import (
	"context"
	"sort"

	"rocketshift/replicator/replica"
)

// cuts is the order of copies on a target queue, as far as it is known: runs of copies whose
// positions and stamped offsets rise together, with natives between them. Long runs are found by a
// few probes; natives are read one by one.
type cuts struct {
	runs    []run
	at      int64 // everything before this position is known
	newest  int64 // highest stamped offset before it, -1 without any
	natives Natives
	epoch   int // of the copies: how often the lane was restarted
}

// run is a stretch of copies: the message at position+i is the copy of offset+i.
type run struct{ position, offset, length int64 }

func (r run) end() int64 { return r.position + r.length }

// extend reads on until the goal is reached, or the position to. It checks the goal after each page
// or run. known, if given, returns where a stretch of known natives ends that begins at a position;
// these need not be read.
func (c *cuts) extend(
	ctx context.Context,
	q replica.Reader,
	stamps replica.Stamper,
	to int64,
	known func(int64) int64,
	reached func() bool,
) error {
	for c.at < to && !reached() {
		if known != nil {
			if end := min(known(c.at), to); end > c.at {
				c.addNatives(end)
				continue
			}
		}
		messages, next, err := q.Page(ctx, c.at, int(min(to-c.at, replica.PageMessages)))
		if err != nil {
			return err
		}
		before := c.natives.Count
		c.take(messages, next, to, &stamps)
		if c.natives.Count == before && len(c.runs) > 0 && c.runs[len(c.runs)-1].end() == c.at {
			if err := c.gallop(ctx, q, stamps, to); err != nil {
				return err
			}
		}
	}
	return nil
}

// take adds a page of messages; the next page begins at next. It doesn't look at messages from the
// position to on.
func (c *cuts) take(messages []replica.Message, next, to int64, stamps *replica.Stamper) {
	if c.epoch > stamps.Epoch {
		stamps.Restarted(c.epoch)
	}
	for _, m := range messages {
		if m.Position >= to {
			break
		}
		c.add(m, stamps)
	}
	c.at = min(max(next, c.at), to)
}

// add takes the next message.
func (c *cuts) add(m replica.Message, stamps *replica.Stamper) {
	c.at = m.Position + 1
	offset, ours := stamps.Offset(m.Message)
	if !ours && c.restarted(m, stamps) {
		offset, ours = stamps.Offset(m.Message)
	}
	if !ours || offset <= c.newest {
		c.at = m.Position
		c.addNatives(m.Position + 1)
		return
	}
	c.newest = offset
	if n := len(c.runs); n > 0 {
		if last := &c.runs[n-1]; last.end() == m.Position && last.offset+last.length == offset {
			last.length++
			return
		}
	}
	c.runs = append(c.runs, run{m.Position, offset, 1})
}

// addNatives counts everything up to, not including, a position as natives.
func (c *cuts) addNatives(end int64) {
	if c.natives.Count == 0 {
		c.natives.First = c.at
	}
	c.natives.Count += end - c.at
	c.natives.Last = end - 1
	c.at = end
}

// originals returns where a stretch of the other queue ends that begins at an offset and has copies
// here; the offset itself if it has none.
func (c *cuts) originals(offset int64) int64 {
	i := sort.Search(len(c.runs), func(i int) bool { return offset < c.runs[i].offset+c.runs[i].length })
	if i < len(c.runs) && c.runs[i].offset <= offset {
		return c.runs[i].offset + c.runs[i].length
	}
	return offset
}

// gallop finds the end of the last run. Where a later message is as far from the run in offset as
// in position, everything between belongs to the run: there is no place for anything else.
func (c *cuts) gallop(ctx context.Context, q replica.Reader, stamps replica.Stamper, to int64) error {
	last := &c.runs[len(c.runs)-1]
	inside, outside := last.end()-1, to // the last position known to be of the run, the first known not to be
	for step := int64(replica.PageMessages); outside-inside > 1; {
		probe := inside + (outside-inside)/2
		if step > 0 && inside+step < probe {
			probe, step = inside+step, 2*step
		}
		m, there, err := q.One(ctx, probe)
		if err != nil {
			return err
		}
		offset, ours := stamps.Offset(&m)
		if there && ours && offset == last.offset+probe-last.position {
			inside = probe
		} else {
			outside, step = probe, 0
		}
	}
	last.length = inside - last.position + 1
	c.at, c.newest = last.end(), last.offset+last.length-1
	return nil
}

// boundary finds the position after the last copy of an offset below the given one, and the
// position of the first copy at or above it; found is false if there is no such copy yet.
func (c *cuts) boundary(offset, first int64) (after, next int64, found bool) {
	after = first
	for _, r := range c.runs {
		if r.offset >= offset {
			return after, r.position, true
		}
		if offset < r.offset+r.length {
			at := r.position + offset - r.offset
			return at, at, true
		}
		after = r.end()
	}
	return after, 0, false
}

// begin fits the cuts to what the queue holds now. A queue that ends before what was seen was made
// anew.
func (c *cuts) begin(from, to int64) {
	if to < c.at {
		*c = cuts{newest: -1}
	}
	c.at = max(c.at, from)
}

// around returns the highest offset copied before the position and the first one copied at or after
// it, -1 if there is none, and the number of natives at or after it.
func (c *cuts) around(position int64) (newest, next, natives int64) {
	newest, next, natives = -1, -1, max(0, c.at-position)
	for _, r := range c.runs {
		if before := min(r.end(), position) - r.position; before > 0 {
			newest = r.offset + before - 1
		}
		if after := r.end() - max(r.position, position); after > 0 {
			natives -= after
			if next < 0 {
				next = r.offset + r.length - after
			}
		}
	}
	return newest, next, natives
}

// nativesBefore counts the natives before the position.
func (c *cuts) nativesBefore(position, from int64) int64 {
	count := position - from
	for _, r := range c.runs {
		count -= max(0, min(r.end(), position)-max(r.position, from))
	}
	return max(0, count)
}
