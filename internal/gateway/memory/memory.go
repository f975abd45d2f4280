// Package memory shares a process's memory out among the clients of a gateway. What isn't tiny is
// taken from a budget before it is allocated, by its announced size. When there is no room, who
// asks waits, and the client's address that holds least goes first. Who holds on to much for no
// good while others wait is closed.
package memory

import (
	"errors"
	"net/netip"
	"sync"
	"time"
)

// Bounds that aren't told.
const (
	// Grace is how long somebody waits before others have to go for it. Stock clients give a send
	// up after 3 s: that leaves time for a few of them, and what comes over a network usually comes
	// in less.
	Grace = 200 * time.Millisecond
	// Patience is how long somebody waits at most: stock clients give a pull up after 30 s, and
	// everything else after 3 s.
	Patience = 10 * time.Second
	// Little is what counts as little, in bytes: the answer to a stock pull, of which brokers put
	// 256 KiB together (maxTransferBytesOnMessageInMemory), twice.
	Little = 512 << 10
	// Modest is how much an address may hold, in bytes, and have part in the room that is kept
	// back: eight answers at once.
	Modest = 4 << 20
	// keptBack is which part of the room is kept back for little things of addresses that hold
	// little: a fourth.
	keptBack = 4
	// pace is how fast a frame comes that counts as coming, in bytes a second: one of 16 MiB, the
	// largest one, comes within the 30 s that a frame may take.
	pace = 1 << 20
	// worth is which part of what is asked for somebody must hold to go for it: of those that hold
	// less, many would have to go.
	worth = 4
)

// Errors of Take.
var (
	ErrEvicted = errors.New("its client held too much memory for too long while others waited for some")
	ErrTooMuch = errors.New("more memory than there is room for: give the gateway more (--memory)")
	ErrNoRoom  = errors.New("no memory was free for too long: give the gateway more (--memory)")
	ErrClosed  = errors.New("the gateway ends")
)

// Budget is what there is to share. A nil one has no bounds.
type Budget struct {
	mu      sync.Mutex
	most    int64 // for everything
	fixed   int64 // that can't be waited for: what connections, queues and views take by themselves
	held    int64
	leaving int64 // of that, what closed clients hold and haven't given back yet
	owners  map[netip.Prefix]*owner
	waiting int
	timer   *time.Timer
	closed  bool

	evicted, waited, refused int64
}

// owner is a client's address: all of its connections together.
type owner struct {
	at            netip.Prefix
	held, leaving int64
	connections   int
	holders       map[*Holder]bool // that hold something
	lines         [2][]*wish       // of what waits: little things, and others
}

// wish is somebody who waits.
type wish struct {
	holder *Holder
	n      int64
	since  time.Time
	got    chan error // its end
}

// New makes a budget of so many bytes.
func New(most int64) *Budget { return &Budget{most: most, owners: map[netip.Prefix]*owner{}} }

// PrefixOf is what counts as one address: of IPv6 the 64 bits that one host may choose the rest of.
// What is none counts as one too.
func PrefixOf(at netip.Addr) netip.Prefix {
	at = at.Unmap().WithZone("")
	bits := 32
	if at.Is6() {
		bits = 64
	}
	p, _ := at.Prefix(bits)
	return p
}

// Enter makes the holder of a connection from an address. If the client has to go, end is called,
// once, with the bytes that it holds; it must not wait.
func (b *Budget) Enter(at netip.Addr, end func(held int64)) *Holder {
	if b == nil {
		return nil
	}
	p := PrefixOf(at)
	b.mu.Lock()
	defer b.mu.Unlock()
	o := b.owners[p]
	if o == nil {
		o = &owner{at: p, holders: map[*Holder]bool{}}
		b.owners[p] = o
	}
	o.connections++
	return &Holder{budget: b, owner: o, end: end, users: 1, gone: make(chan struct{})}
}

// Fix takes note that so much more, or less, is taken that can't be waited for: there is less room
// for all else.
func (b *Budget) Fix(n int64) {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fixed += n; n < 0 {
		b.serve()
	}
}

// Close lets nobody wait any more.
func (b *Budget) Close() {
	if b == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
	for _, o := range b.owners {
		for l, line := range o.lines {
			o.lines[l] = nil
			b.waiting -= len(line)
			for _, w := range line {
				w.got <- ErrClosed
			}
		}
	}
}

// Standing is how a budget stands.
type Standing struct {
	Limit   int64 `json:"limit"`   // bytes for everything
	Fixed   int64 `json:"fixed"`   // of these, what connections, queues and groups' views take by themselves
	Held    int64 `json:"held"`    // what frames, open calls, heartbeats and waiting requests take
	Waiting int   `json:"waiting"` // connections that wait for memory
	Waited  int64 `json:"waited"`  // how often one had to
	Refused int64 `json:"refused"` // connections that were closed as there was no room for what they brought
	Evicted int64 `json:"evicted"` // connections that were closed as they held much while others waited
}

// Standing says how it stands now.
func (b *Budget) Standing() (s Standing) {
	if b == nil {
		return s
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	return Standing{b.most, b.fixed, b.held, b.waiting, b.waited, b.refused, b.evicted}
}

// room reports whether there is room for n more bytes of an owner. Callers hold b.mu.
func (b *Budget) room(o *owner, n, free int64) bool {
	most := b.most - b.fixed
	if n > Little || o.held+n > Modest {
		most -= most / keptBack
	}
	return b.held-free+n <= most
}

func lineOf(n int64) int {
	if n <= Little {
		return 0
	}
	return 1
}
