package routing

import (
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
)

// View is how one group sees one queue: from which side it reads, and what its offsets mean there.
//
// An offset of the group is an offset of either side minus that side's shift. Before anything
// moved, both the shift of the source and the side are zero, and it is the source's own offset.
// Each move sets the shift of the side that it moves to, so that the group's next offset stays as
// it is: the group never sees a jump, whatever has expired, was left out, or was repeated on one of
// the sides.
type View struct {
	Group string
	Queue *Queue

	mu     sync.Mutex
	side   Side
	shift  [2]int64
	proved int64 // from this offset of the group on, both shifts are known to be right
	// askedFor is behind the offset that a member has asked for last without an answer, and
	// askedFurthest behind the highest one: a gateway that has just begun knows no answers. told is
	// behind the highest one that a broker has answered; 0: none yet.
	askedFor, askedFurthest, told int64

	asked   uint64 // counts pulls of members: only the newest one says what the group reads next
	next    int64  // the group's next offset, as far as answers to pulls tell; -1 if unknown
	nextAt  time.Time
	kept    int64 // the offset that the group committed last through here, and a broker has taken; -1 if none
	keptAt  time.Time
	claimed int64 // the offset that a client asked last to commit: only brokers can tell whether it may; -1 if none
	parked  []Parked
	waits   int       // how much is parked, in bytes
	moving  bool      // pulls wait
	dirty   bool      // there is a commit that the other side doesn't have
	owed    bool      // it may have gone to the other side, as the group was about to move
	aheadAt time.Time // when it was said last that the group is ahead of copies
	usedAt  time.Time // when somebody asked about it last
	gone    bool      // it was forgotten, as nobody did for long: there may be another one
}

// native is what an offset of the group is on a side. A group that came back to the source without
// the target may still have messages in work of before all that it reads there.
func (v *View) native(on Side, offset int64) int64 { return max(0, offset+v.shift[on]) }

// claims takes note that a client asks to commit. Callers hold v.mu.
func (v *View) claims(offset int64) { v.claimed = max(v.claimed, offset) }

// takes takes note of a commit that a broker has taken. One of the other side than the group reads
// now is owed to that side. Callers hold v.mu.
func (v *View) takes(commit int64, on Side) {
	v.kept, v.keptAt, v.dirty = commit, time.Now(), true
	v.owed = v.owed || on != v.side
	if v.claimed <= commit {
		v.claimed = -1
	}
}

// commitTime is how long after a move a commit of before may matter. What a position is is the
// broker's to say then, as somebody may have reset it.
const commitTime = 3 * time.Second

// onItsWay is a commit that the broker of the side that the group reads may not have yet; -1 if
// there is none. Callers hold v.mu.
func (v *View) onItsWay() int64 {
	if v.owed || time.Since(v.keptAt) < commitTime {
		return v.kept
	}
	return -1
}

// Reads is the side that the group reads the queue from.
func (v *View) Reads() Side {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.side
}

// uses takes a view's lock for a request, and takes note that it is used; false if it was
// forgotten.
func (v *View) uses() bool {
	v.mu.Lock()
	if v.gone {
		v.mu.Unlock()
		return false
	}
	v.usedAt = time.Now()
	return true
}

// StaysBehind reports whether a group's view stays on the source when the group moves: a retry
// queue that the target has no pair of.
func (v *View) StaysBehind(to Side) bool {
	_, retry := rocketmq.RetryGroup(v.Queue.Topic)
	return retry && to == Target && v.Queue.Lane() == nil
}

// Wanted names the view.
func (v *View) Wanted() Wanted { return Wanted{v.Group, v.Queue} }

// Taken takes note of a commit that a broker of a side has taken.
func (v *View) Taken(commit int64, on Side) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.takes(commit, on)
}

// ViewState is how a view stands on disk.
type ViewState struct {
	Side   Side
	Shift  [2]int64
	Proved int64 // from this offset of the group on, both shifts are known to be right
}

// Standing is how the view stands now.
func (v *View) Standing() ViewState {
	v.mu.Lock()
	defer v.mu.Unlock()
	return ViewState{v.side, v.shift, v.proved}
}

// Set makes the view stand as it was decided, and returns the side of before. A commit that is on
// its way is owed to the side that the group reads now: perhaps it doesn't go there.
func (v *View) Set(to ViewState) (before Side) {
	v.mu.Lock()
	defer v.mu.Unlock()
	before = v.side
	if before != to.Side && v.onItsWay() >= 0 {
		v.owed, v.dirty = true, true
	}
	v.side, v.shift, v.proved = to.Side, to.Shift, to.Proved
	return before
}

// Reading is the side that the group reads the queue from, and the shift there.
func (v *View) Reading() (on Side, shift int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.side, v.shift[v.side]
}

// Awaited is the commit that the broker of a side may not have yet, -1 if there is none, and the
// shift there.
func (v *View) Awaited(on Side) (kept, shift int64) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.onItsWay(), v.shift[on]
}

// Place is the group's next offset as a native one of the side that it reads; false if it is
// unknown.
func (v *View) Place() (on Side, native int64, known bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.side, v.next + v.shift[v.side], v.next >= 0
}

// Elsewhere reports whether the group reads the queue on the target, or is just being moved.
func (v *View) Elsewhere() bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.moving || v.side != Source
}

// progress is what a gateway knows of where a group is in a queue.
type progress struct {
	Next     int64 // its next offset, by the newest answer to a pull; -1 if unknown
	NextAt   time.Time
	Kept     int64 // the commit that a broker has taken last; -1 if none
	KeptAt   time.Time
	OnItsWay int64 // the same while the broker of the side that it reads may not have it; else -1
	Claimed  int64 // what a client asked last to commit, and no broker has taken; -1 if nothing
}

// Progress is where the group is.
func (v *View) Progress() progress {
	v.mu.Lock()
	defer v.mu.Unlock()
	return progress{v.next, v.nextAt, v.kept, v.keptAt, v.onItsWay(), v.claimed}
}

// Stop makes the group's pulls wait; not if it reads from the side already that it goes to. busy: they
// wait already, as somebody else moves it.
func (v *View) Stop(to Side) (stopped, busy bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.moving {
		return false, true
	}
	v.moving = v.side != to
	return v.moving, false
}

// Ask takes note that somebody asks for the group's position; false if the view was forgotten.
func (v *View) Ask() (on Side, ok bool) {
	if !v.uses() {
		return 0, false
	}
	defer v.mu.Unlock()
	return v.side, true
}

// Commit takes note that a client asks to commit, and says where, and what the offset is there;
// false if the view was forgotten.
func (v *View) Commit(commit int64) (on Side, native int64, ok bool) {
	if !v.uses() {
		return 0, 0, false
	}
	defer v.mu.Unlock()
	v.claims(commit)
	return v.side, v.native(v.side, commit), true
}
