package routing

import (
	"time"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// asks takes note of the offset that a member asks for, for as long as no broker answers. Callers
// hold v.mu.
func (v *View) asks(offset int64) {
	v.askedFor, v.askedFurthest = offset+1, max(v.askedFurthest, offset+1)
}

// answers takes note of the answer to a pull. Nobody is at an offset that a broker refuses to read,
// or that is behind the end of what it has. Callers hold v.mu.
func (v *View) answers(f *wire.Frame, c Pulling) {
	end, known := f.Number("maxOffset")
	if known && PullTaken(f.Code) && v.native(c.Side, c.Offset) <= end {
		v.told = max(v.told, c.Offset+1)
	}
	if !c.Member { // the answer to a stranger's pull says nothing of a member's
		return
	}
	if v.askedFor == c.Offset+1 {
		v.askedFor = 0
	}
	if v.askedFurthest == c.Offset+1 {
		v.askedFurthest = 0
	}
}

// MayAskFor is the highest offset that members may ask for next; -1 if that isn't known. Those of a
// broadcasting group are each at a place of their own.
func (v *View) MayAskFor(broadcasts bool) int64 {
	v.mu.Lock()
	defer v.mu.Unlock()
	if broadcasts {
		return max(v.next, v.askedFurthest-1, v.told-1)
	}
	return max(v.next, v.askedFor-1)
}

// ahead reports whether a broker refuses a pull as the group has read what isn't copied there yet.
// A gateway that is in doubt lets a group read on where it was, and may hear after some more
// messages that it reads on the other side now. The client must not get the broker's advice: it is
// to begin anew at the end of the queue, and with 4.8 and before perhaps at its beginning. Callers
// hold v.mu.
func (v *View) ahead(f *wire.Frame, c Pulling) bool {
	end, known := f.Number("maxOffset")
	return f.Code == remoting.PullOffsetMoved && known && v.native(c.Side, c.Offset) > end && v.Queue.At() != c.Side
}

// saidAhead reports whether that is to be said, which many pulls would do. Callers hold v.mu.
func (v *View) saidAhead() bool {
	if time.Since(v.aheadAt) < aheadSaid {
		return false
	}
	v.aheadAt = time.Now()
	return true
}

// PullTaken reports whether a broker that answers so has done what the pull asks for, its commit
// among it. Others refuse it whole.
func PullTaken(code int) bool {
	return code == remoting.Success || code == remoting.PullNotFound || code == remoting.PullRetryImmediately ||
		code == remoting.PullOffsetMoved
}

// aheadSaid is how often it is said that a group is ahead of copies.
const aheadSaid = 10 * time.Second

// Pulling is a pull that is open at a broker.
type Pulling struct {
	Side    Side
	Offset  int64
	Member  bool   // a member's, as far as is known
	Asked   uint64 // which of the members' pulls it is
	Commits bool   // it commits, too:
	Commit  int64
}

// whither is what is to be done with a pull.
type whither int

const (
	// PullGoes means that it goes to the side.
	PullGoes whither = iota
	// PullWaits means that it waits until the group has moved.
	PullWaits
	// PullCrowded means that it would have to wait, and there is no room.
	PullCrowded
	// PullForgotten means that the view was forgotten: there may be another one.
	PullForgotten
)

// Pull says where a pull goes to that a client begins; changes, that it isn't the same there as the
// client has sent it. It waits while the group moves.
func (v *View) Pull(s Waiter, f *wire.Frame, offset int64, member bool) (on Side, changes bool, is whither) {
	if !v.uses() {
		return 0, false, PullForgotten
	}
	defer v.mu.Unlock()
	if v.moving {
		if v.park(s, f) {
			return 0, false, PullWaits
		}
		return 0, false, PullCrowded
	}
	if member {
		v.asks(offset)
	}
	return v.side, v.side == Target || v.shift[v.side] != 0, PullGoes
}

// Enter enters a pull of a client, unless the group's side isn't where it goes to any more. It
// returns the shift there.
func (v *View) Enter(on Side, commit int64, member bool, enter func(asked uint64)) (shift int64, ok bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.moving || v.gone || v.side != on {
		return 0, false
	}
	if member { // who may read nothing must not make what others are told the answer to an older pull
		v.asked++
	}
	if commit > 0 {
		v.claims(commit)
	}
	enter(v.asked)
	return v.shift[on], true
}

// Answered is what the answer to a pull says of the group.
type Answered struct {
	Shift int64 // of the side that it was read from
	Ahead bool  // the group has read what isn't copied yet
	Says  bool  // which is to be said
}

// Answer takes a pull out of the table with its answer, and notes what that says of the group; false
// if it isn't in the table any more.
func (v *View) Answer(f *wire.Frame, c Pulling, take func() bool) (is Answered, there bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !take() {
		return is, false
	}
	is.Shift = v.shift[c.Side]
	if c.Commits && PullTaken(f.Code) {
		v.takes(c.Commit, c.Side)
	}
	if is.Ahead = v.ahead(f, c); is.Ahead {
		is.Says = v.saidAhead()
		return is, true
	}
	v.answers(f, c)
	if next, ok := f.Number("nextBeginOffset"); ok && PullTaken(f.Code) && c.Asked == v.asked {
		v.next, v.nextAt = next-is.Shift, time.Now()
	}
	return is, true
}
