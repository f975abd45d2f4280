package memory

import (
	"slices"
	"sync/atomic"
	"time"
)

// Holder is what one connection of a client holds, with its connections to servers. A nil one has
// no bounds.
type Holder struct {
	budget *Budget
	owner  *owner
	end    func(held int64)
	came   atomic.Int64 // bytes of frames that came since the last look

	// The budget's lock is for the rest.
	held   int64
	low    int64 // the least that it has held since the last look
	users  int
	closed bool
	gone   chan struct{} // closed when it has to go, or has gone
}

// Take takes n bytes, and waits while there is no room for them. Errors: ErrEvicted, ErrTooMuch,
// ErrNoRoom, ErrClosed; then nothing is taken.
func (h *Holder) Take(n int) error {
	if h == nil || n <= 0 {
		return nil
	}
	w, err := h.ask(int64(n))
	if w == nil {
		return err
	}
	late := time.NewTimer(Patience)
	defer late.Stop()
	select {
	case err = <-w.got:
		return err
	case <-late.C:
		err = ErrNoRoom
	case <-h.gone:
		err = ErrEvicted
	}
	return h.budget.withdraw(w, err)
}

// ask takes n bytes, or stands in line for them.
func (h *Holder) ask(n int64) (*wish, error) {
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.mayAsk(h, n); err != nil {
		return nil, err
	}
	if b.waiting == 0 && b.room(h.owner, n, 0) {
		b.give(h, n)
		return nil, nil
	}
	w := &wish{h, n, time.Now(), make(chan error, 1)}
	line := &h.owner.lines[lineOf(n)]
	*line = append(*line, w)
	b.waiting++
	b.serve()
	select {
	case err := <-w.got:
		return nil, err
	default:
	}
	b.waited++
	b.watch()
	return w, nil
}

func (b *Budget) mayAsk(h *Holder, n int64) error {
	most := b.most - b.fixed
	switch {
	case b.closed:
		return ErrClosed
	case h.closed:
		return ErrEvicted
	case n > Little && n > most-most/keptBack, n > most:
		b.refused++
		return ErrTooMuch
	}
	return nil
}

// Try takes n bytes if there is room for them now.
func (h *Holder) Try(n int) bool {
	if h == nil || n <= 0 {
		return true
	}
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.closed || b.closed || !b.room(h.owner, int64(n), 0) {
		return false
	}
	b.give(h, int64(n))
	return true
}

// Give gives n bytes back.
func (h *Holder) Give(n int) {
	if h == nil || n <= 0 {
		return
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	h.budget.takeBack(h, int64(n))
}

// Came takes note that bytes of a frame have come for which there was a wish.
func (h *Holder) Came(n int) {
	if h != nil {
		h.came.Add(int64(n))
	}
}

// Join takes note of one more that uses the holder; it must leave. False if the last one has left.
func (h *Holder) Join() bool {
	if h == nil {
		return true
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	if h.users > 0 {
		h.users++
		return true
	}
	return false
}

// End takes note that the client has gone: nothing more is taken for it (ErrEvicted), and what is
// being taken is given back as soon as it can be.
func (h *Holder) End() {
	if h == nil {
		return
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	if !h.closed {
		h.budget.end(h)
	}
	h.budget.serve() // it may have stood before others
}

// Leave takes note that one less uses the holder. When nobody does, everything is given back.
func (h *Holder) Leave() {
	if h == nil {
		return
	}
	b := h.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if h.users--; h.users != 0 {
		return
	}
	b.takeBack(h, h.held)
	if !h.closed {
		h.closed = true
		close(h.gone)
	}
	o := h.owner
	if o.connections--; o.connections == 0 {
		delete(b.owners, o.at)
	}
}

// Gone is closed when the holder has to go, or its client has gone. A nil one never has.
func (h *Holder) Gone() <-chan struct{} {
	if h == nil {
		return nil
	}
	return h.gone
}

// Held is what it holds.
func (h *Holder) Held() int64 {
	if h == nil {
		return 0
	}
	h.budget.mu.Lock()
	defer h.budget.mu.Unlock()
	return h.held
}

// give gives a holder n bytes. Callers hold b.mu.
func (b *Budget) give(h *Holder, n int64) {
	h.held += n
	h.owner.held += n
	b.held += n
	h.owner.holders[h] = true
}

// takeBack takes n bytes back. Callers hold b.mu.
func (b *Budget) takeBack(h *Holder, n int64) {
	if h.users <= 0 && n > h.held { // it has left, with everything
		return
	}
	h.held -= n
	h.low = min(h.low, h.held)
	h.owner.held -= n
	b.held -= n
	if h.closed {
		h.owner.leaving -= n
		b.leaving -= n
	}
	if h.held == 0 {
		delete(h.owner.holders, h)
	}
	b.serve()
}

// serve gives those who wait what there is room for: little things first, and of these those of the
// address that holds least. Who is first in line and has no room lets nobody past: it would wait
// for ever. Callers hold b.mu.
func (b *Budget) serve() {
	for line := range [2]int{} {
		for b.waiting > 0 {
			w := b.first(line)
			if w == nil || !b.room(w.holder.owner, w.n, 0) {
				break
			}
			b.unlist(w)
			b.give(w.holder, w.n)
			w.got <- nil
		}
	}
}

// first is who is first in line. Callers hold b.mu.
func (b *Budget) first(line int) (w *wish) {
	for _, o := range b.owners {
		if len(o.lines[line]) == 0 {
			continue
		}
		one := o.lines[line][0]
		if w == nil || o.held < w.holder.owner.held || o.held == w.holder.owner.held && one.since.Before(w.since) {
			w = one
		}
	}
	return w
}

// unlist takes a wish out of its line, and reports whether it was there. Callers hold b.mu.
func (b *Budget) unlist(w *wish) bool {
	line := &w.holder.owner.lines[lineOf(w.n)]
	at := slices.Index(*line, w)
	if at < 0 {
		return false
	}
	*line = slices.Delete(*line, at, at+1)
	b.waiting--
	return true
}

// withdraw takes a wish back. If it was granted meanwhile, that counts, unless its holder has to
// go.
func (b *Budget) withdraw(w *wish, why error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unlist(w) {
		if why == ErrNoRoom { //nolint:errorlint // it is this one
			b.refused++
		}
		b.serve() // it may have stood before others
		return why
	}
	err := <-w.got
	if err == nil && why == ErrEvicted { //nolint:errorlint // it is this one
		b.takeBack(w.holder, w.n)
		return why
	}
	return err
}
