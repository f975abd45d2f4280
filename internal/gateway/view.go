package gateway

import (
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"rocketshift/internal/gateway/routing"
)

// view is how one group sees one queue: from which side it reads, and what its offsets mean there.
//
// An offset of the group is an offset of either side minus that side's shift. Before anything
// moved, both the shift of the source and the side are zero, and it is the source's own offset.
// Each move sets the shift of the side that it moves to, so that the group's next offset stays as
// it is: the group never sees a jump, whatever has expired, was left out, or was repeated on one of
// the sides.
type view struct {
	group string
	queue *queue

	mu     sync.Mutex
	side   routing.Side
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
	parked  []parked
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
func (v *view) native(on routing.Side, offset int64) int64 { return max(0, offset+v.shift[on]) }

// claims takes note that a client asks to commit. Callers hold v.mu.
func (v *view) claims(offset int64) { v.claimed = max(v.claimed, offset) }

// takes takes note of a commit that a broker has taken. One of the other side than the group reads
// now is owed to that side. Callers hold v.mu.
func (v *view) takes(c call) {
	v.kept, v.keptAt, v.dirty = c.commit, time.Now(), true
	v.owed = v.owed || c.side != v.side
	if v.claimed <= c.commit {
		v.claimed = -1
	}
}

// commitTime is how long after a move a commit of before may matter. What a position is is the
// broker's to say then, as somebody may have reset it.
const commitTime = 3 * time.Second

// onItsWay is a commit that the broker of the side that the group reads may not have yet; -1 if
// there is none. Callers hold v.mu.
func (v *view) onItsWay() int64 {
	if v.owed || time.Since(v.keptAt) < commitTime {
		return v.kept
	}
	return -1
}

// reads is the side that the group reads the queue from.
func (v *view) reads() routing.Side {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.side
}

// group is a consumer group with its views.
type group struct {
	name string

	mu    sync.RWMutex
	views map[*queue]*view
	quota *viewQuota
	asked atomic.Int64 // when it was asked for last, in nanoseconds of Unix
}

// known is the group's view of a queue, if there is one.
func (g *group) known(q *queue) *view {
	g.mu.RLock()
	defer g.mu.RUnlock()
	return g.views[q]
}

// of is the group's view of a queue, made when it is first asked for.
func (g *group) of(q *queue) *view {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.views[q]
	if v == nil {
		v = &view{group: g.name, queue: q, next: -1, kept: -1, claimed: -1}
		g.views[q] = v
		g.quota.counts(1)
	}
	v.mu.Lock()
	v.usedAt = time.Now()
	v.mu.Unlock()
	return v
}

// all are the group's views.
func (g *group) all() []*view {
	g.mu.RLock()
	defer g.mu.RUnlock()
	all := make([]*view, 0, len(g.views))
	for _, v := range g.views {
		all = append(all, v)
	}
	return all
}

// readsOn reports whether the group reads any queue from a side.
func (g *group) readsOn(on routing.Side) bool {
	return slices.ContainsFunc(g.all(), func(v *view) bool { return v.reads() == on })
}
