package verify

import (
	"context"
	"slices"
	"sync"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/replica"
)

const (
	// maxAhead bounds the bytes that a cursor pulls ahead: as many as MaxReads pulls of a broker
	// with the usual limits bring, and fewer than a few of its largest messages have.
	maxAhead = 2 << 20
	// growAfter is how many full answers in a row make a cursor ask for more messages at once. It
	// asks so rarely that it costs nothing where a broker gives no more.
	growAfter = 16
)

// cursor reads a part of a queue message by message. Offsets are dense, so it knows where the next
// pulls begin before the last one is answered, and has several in flight. What an answer lacks is
// pulled before what lies after it, and nothing is pulled twice.
type cursor struct {
	replica.Reader
	end    int64
	ahead  []stretch // what isn't read yet, in the order of offsets
	stride int64     // messages that a pull of this queue brings; 0 if unknown
	full   int       // answers in a row that brought the whole stride
	depth  int       // pulls to have in flight
	flying int       // pulls in flight

	page    []replica.Message   // what was read and isn't taken
	backing []replica.Message   // memory of the page
	memory  rocketmq.PullResult // and of its messages
	pulls   sync.WaitGroup
}

// stretch is the offsets [from, to), in flight if there is an answer to wait for.
type stretch struct {
	from, to int64
	answer   chan replica.Pulled
}

// newCursor reads [at, end).
func newCursor(q replica.Reader, at, end int64) *cursor {
	c := &cursor{Reader: q, end: end, depth: 1}
	if at < end {
		c.ahead = []stretch{{from: at, to: end}}
	}
	return c
}

// peek returns the next message without taking it; false at the end. The message is valid until the
// first peek after it was taken.
func (c *cursor) peek(ctx context.Context) (replica.Message, bool, error) {
	for len(c.page) == 0 {
		c.memory.Release()
		if len(c.ahead) == 0 {
			return replica.Message{}, false, nil
		}
		c.fill(ctx)
		if err := c.turn(); err != nil {
			return replica.Message{}, false, err
		}
	}
	return c.page[0], c.page[0].Position < c.end, nil
}

func (c *cursor) take() { c.page = c.page[1:] }

// at is the place of the next message to be taken, or of one that is gone.
func (c *cursor) at() int64 {
	switch {
	case len(c.page) > 0:
		return c.page[0].Position
	case len(c.ahead) > 0:
		return c.ahead[0].from
	}
	return c.end
}

// fill starts pulls, the first ones first.
func (c *cursor) fill(ctx context.Context) {
	for i := 0; i < len(c.ahead) && (i == 0 || c.flying < c.depth); i++ {
		if c.ahead[i].answer == nil {
			c.start(ctx, i)
		}
	}
}

// start pulls the beginning of a stretch.
func (c *cursor) start(ctx context.Context, i int) {
	most := c.stride
	if most == 0 { // the answer shows how much the broker gives
		most = replica.PageMessages
	}
	whole := c.ahead[i]
	one := stretch{whole.from, min(whole.from+most, whole.to), make(chan replica.Pulled, 1)}
	c.ahead[i] = one
	if one.to < whole.to {
		c.ahead = slices.Insert(c.ahead, i+1, stretch{from: one.to, to: whole.to})
	}
	c.flying++
	c.pulls.Go(func() {
		result, err := c.Pull(ctx, one.from, int(one.to-one.from))
		one.answer <- replica.Pulled{Result: result, Err: err}
	})
}

// turn makes the oldest answer the page.
func (c *cursor) turn() error {
	one := c.drop()
	p := <-one.answer
	if p.Err != nil {
		return p.Err
	}
	next, err := c.After(one.from, p.Result)
	if err != nil {
		return err
	}
	c.memory = p.Result
	c.backing = replica.AppendPlaced(c.backing[:0], one.from, p.Result)
	c.page = c.backing
	c.learn(one.to-one.from, next-one.from)
	if next < one.to {
		c.ahead = slices.Insert(c.ahead, 0, stretch{from: next, to: one.to})
	} else {
		c.seek(next)
	}
	return nil
}

// learn notes how much a pull brought of what it asked for.
func (c *cursor) learn(asked, got int64) {
	switch {
	case got < asked:
		c.stride, c.full = got, 0
	case asked >= c.stride:
		c.stride = asked
		if c.full++; c.full == growAfter {
			c.stride, c.full = min(2*c.stride, replica.PageMessages), 0
		}
	}
	size := 1
	for _, m := range c.page {
		size += len(m.Body) + len(m.Properties)
	}
	c.depth = min(max(maxAhead/size, 1), replica.MaxReads)
}

// seek skips what lies before the offset, and forgets what is in flight of it.
func (c *cursor) seek(offset int64) {
	for len(c.ahead) > 0 && c.ahead[0].from < offset {
		if first := c.drop(); first.to > offset {
			c.ahead = slices.Insert(c.ahead, 0, stretch{from: offset, to: first.to})
		}
	}
}

// drop takes the first stretch away.
func (c *cursor) drop() stretch {
	first := c.ahead[0]
	c.ahead = slices.Delete(c.ahead, 0, 1)
	if first.answer != nil {
		c.flying--
	}
	return first
}

// close waits for what is in flight, whose context should have ended.
func (c *cursor) close() { c.pulls.Wait() }
