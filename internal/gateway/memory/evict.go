package memory

import (
	"slices"
	"time"
)

// watch has those looked at who hold something while somebody waits. Callers hold b.mu.
func (b *Budget) watch() {
	if b.timer != nil {
		return
	}
	b.look(nil)
	b.timer = time.AfterFunc(Grace, b.relieve)
}

// look begins a new look at each holder, and tells what each has held since the last one, unless
// that was coming fast enough. Callers hold b.mu.
func (b *Budget) look(tell func(h *Holder, steady int64)) {
	for _, o := range b.owners {
		for h := range o.holders {
			came := h.came.Swap(0)
			if tell != nil && !h.closed && h.low > 0 && came < int64(pace*Grace/time.Second) {
				tell(h, h.low)
			}
			h.low = h.held
		}
	}
}

// relieve closes those who have held much for the whole of the grace, for those who have waited for
// as long.
func (b *Budget) relieve() {
	var ends []func()
	b.mu.Lock()
	b.serve()
	steady := map[*Holder]int64{}
	b.look(func(h *Holder, n int64) { steady[h] = n })
	free := b.leaving
	for _, w := range b.tired() {
		for !w.holder.closed && !b.room(w.holder.owner, w.n, free) {
			h := worst(steady, w)
			if h == nil {
				break
			}
			delete(steady, h)
			held := h.held
			free += held
			b.evict(h)
			ends = append(ends, func() { h.end(held) })
		}
		if !w.holder.closed {
			free -= w.n
		}
	}
	b.timer = nil
	if b.waiting > 0 && !b.closed {
		b.timer = time.AfterFunc(Grace, b.relieve)
	}
	b.mu.Unlock()
	for _, end := range ends {
		end()
	}
}

const (
	// mostHelped bounds how many of those who wait are helped at one look: a look at each of ten
	// thousand holders for each of as many who wait would take seconds.
	mostHelped = 64
	// helpedTogether is how many of them may be of one address.
	helpedTogether = 8
)

// tired are those who have waited for the grace: of each address who are first there, little things
// first. Callers hold b.mu.
func (b *Budget) tired() (all []*wish) {
	for line := range [2]int{} {
		for _, o := range b.owners {
			for _, w := range o.lines[line][:min(helpedTogether, len(o.lines[line]))] {
				if time.Since(w.since) >= Grace && len(all) < mostHelped {
					all = append(all, w)
				}
			}
		}
	}
	return all
}

// worst is who has to go for a wish: of the address that holds most, who has held most. It is
// nobody of an address that holds less than that of the wish would then, and nobody of the same
// address who holds less than the wish's own connection would.
func worst(steady map[*Holder]int64, w *wish) (is *Holder) {
	for h, n := range steady {
		o, mine := h.owner, w.holder.owner
		switch {
		case n < w.n/worth:
			continue
		case o == mine && (h == w.holder || n < min(w.holder.held+w.n, Modest)):
			continue
		case o != mine && o.held-o.leaving <= mine.held-mine.leaving+w.n:
			continue
		}
		if is == nil || o.held-o.leaving > is.owner.held-is.owner.leaving || o == is.owner && n > steady[is] {
			is = h
		}
	}
	return is
}

// evict closes a holder, as others wait for what it holds. Callers hold b.mu.
func (b *Budget) evict(h *Holder) {
	b.evicted++
	b.end(h)
}

// end lets a holder take no more. What it holds is free when those who use it give it back, or have
// left. Callers hold b.mu.
func (b *Budget) end(h *Holder) {
	h.closed = true
	h.owner.leaving += h.held
	b.leaving += h.held
	close(h.gone)
	for l, line := range h.owner.lines {
		h.owner.lines[l] = slices.DeleteFunc(line, func(w *wish) bool {
			if w.holder != h {
				return false
			}
			b.waiting--
			w.got <- ErrEvicted
			return true
		})
	}
}
