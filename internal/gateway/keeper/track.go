package keeper

import (
	"math/bits"
	"sync"
)

// Call is a request that a client waits for the answer to.
type Call struct {
	Opaque int32 // the client's number of it
	Binary bool  // the format to answer in
	Pull   bool
	Offset int64 // of pulls: from where they read
}

// About is what a process needs to know of a connection to go on with it.
type About struct {
	Broker string // to whose port the client is connected
	VIP    bool   // by its VIP channel
	Frames int64  // whole ones that came
	Pushes int32  // number of the last request to the client
	Beat   uint64 // which heartbeat brokers know the client by; 0: none
	Calls  []Call // that are without an answer
}

// Track notes how far the gateway has come with a connection. What is noted counts for the next
// process, however this one ends. All methods may be called on nil, and together.
type Track struct {
	keeper *Keeper
	conn   *Conn
	index  uint32
	number uint64

	mu     sync.Mutex
	slot   slot   // nil: the connection is kept no more
	in     uint64 // the kernel's count before the first byte that the gateway has read
	out    uint64 // and of what is written
	used   uint64 // a bit for each call of the slot that is used
	over   uint64 // calls that there was no room for
	frames int64
}

// begin fills the slot. The number comes last: before, the slot is free.
func (t *Track) begin(is About, in, out uint64) {
	s := t.slot
	t.in, t.out, t.frames = in, out, is.Frames
	s.set(wordIn, in)
	s.set(wordOut, out)
	s.set(wordFrames, uint64(is.Frames))
	s.set(wordFlags, 0)
	if is.VIP {
		s.set(wordFlags, flagVIP)
	}
	s.set(wordPushes, uint64(uint32(is.Pushes)))
	s.set(wordBeat, is.Beat)
	s.set(wordOver, 0)
	s.setBroker(is.Broker)
	for i := range mostCalls {
		s.set(wordCalls+2*i, 0)
	}
	for _, c := range is.Calls {
		t.enter(c)
	}
	s.set(wordNumber, t.number)
}

// Asks notes a request that the client waits for, before anything is done about it.
func (t *Track) Asks(c Call) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slot != nil {
		t.enter(c)
	}
}

func (t *Track) enter(c Call) {
	i := bits.TrailingZeros64(^t.used)
	if i >= mostCalls {
		i = t.oldest()
	}
	now := t.keeper.now.Load()
	if i < 0 {
		t.over++
		t.slot.set(wordOver, t.over<<timeAt|now&callTime)
		return
	}
	t.used |= 1 << i
	t.slot.set(wordCalls+2*i+1, uint64(c.Offset))
	t.slot.set(wordCalls+2*i, wordOf(c, now))
}

// oldest is the place of a call that nobody waits for any more; -1 if there is none.
func (t *Track) oldest() int {
	now := t.keeper.now.Load()
	for i := range mostCalls {
		if stale(t.slot.get(wordCalls+2*i)>>timeAt, now) {
			return i
		}
	}
	return -1
}

// Handled notes that all of these bytes were whole frames, of which nothing is left to do but to
// answer what was noted with Asks. Both count from the first byte that the gateway has read.
func (t *Track) Handled(bytes, frames int64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slot == nil {
		return
	}
	t.slot.set(wordFrames, uint64(frames))
	t.slot.set(wordIn, t.in+uint64(bytes))
}

// Wrote notes that so many bytes more were written, all of whole frames, and which calls they
// answer.
func (t *Track) Wrote(bytes int, answers []int32) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slot == nil {
		return
	}
	t.out += uint64(bytes)
	t.slot.set(wordOut, t.out)
	for _, opaque := range answers {
		t.leave(opaque)
	}
}

func (t *Track) leave(opaque int32) {
	for left := t.used; left != 0; left &= left - 1 {
		i := bits.TrailingZeros64(left)
		if uint32(t.slot.get(wordCalls+2*i)) == uint32(opaque) {
			t.used &^= 1 << i
			t.slot.set(wordCalls+2*i, 0)
			return
		}
	}
	if t.over > 0 {
		t.over--
		t.slot.set(wordOver, t.over<<timeAt|t.keeper.now.Load()&callTime)
	}
}

// Failed notes that the client has missed something: its connection can't go on.
func (t *Track) Failed() {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slot != nil {
		t.slot.set(wordFlags, t.slot.get(wordFlags)|flagFailed)
	}
}

// Pushes notes the number of a request to the client, before it is written.
func (t *Track) Pushes(number int32) { t.note(wordPushes, uint64(uint32(number))) }

// Says notes which heartbeat brokers know the client by; 0: none.
func (t *Track) Says(beat uint64) { t.note(wordBeat, beat) }

func (t *Track) note(word int, is uint64) {
	if t == nil {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slot != nil {
		t.slot.set(word, is)
	}
}

// end frees the slot; false if it was freed before. What is noted afterwards is forgotten.
func (t *Track) end() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.slot == nil {
		return false
	}
	t.slot.set(wordNumber, 0)
	t.slot = nil
	return true
}
