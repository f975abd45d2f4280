package gateway

import (
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// sysFlagCommit in a pull says that commitOffset is a commit (PullSysFlag.FLAG_COMMIT_OFFSET).
const sysFlagCommit = 1

func offsetOf(f *wire.Frame) int64 {
	offset, _ := f.Number("queueOffset")
	return offset
}

// pullOf is a pull as a call, as far as the client's answer goes.
func pullOf(f *wire.Frame) call {
	c := callOf(f)
	c.offset = offsetOf(f)
	return c
}

// commitOf is the position that a pull commits; -1 if it commits none.
func commitOf(f *wire.Frame) int64 {
	if flags, _ := f.Number("sysFlag"); flags&sysFlagCommit == 0 {
		return -1
	}
	commit, _ := f.Number("commitOffset")
	return commit
}

// pull reads from the side of the group.
func (s *session) pull(f *wire.Frame) {
	v, wants := s.viewOf(f)
	switch {
	case wants != nil:
		commit := commitOf(f)
		s.passNew(f, wants, call{
			code: f.Code, offset: offsetOf(f), commit: commit, commits: commit > 0,
			oneWay: f.OneWay(),
		})
		return
	case v == nil:
		s.pass(f)
		return
	}
	member := s.ofMember(f)
	for {
		if !v.uses() {
			s.pull(f)
			return
		}
		if v.moving {
			waits := v.park(s, f)
			v.mu.Unlock()
			if !waits {
				s.giveUp(pullOf(f), "")
			}
			return
		}
		if member {
			v.asks(offsetOf(f))
		}
		on, changes := v.side, v.side == routing.Target || v.shift[v.side] != 0
		v.mu.Unlock()
		if !s.mayGo(f, on, changes) {
			return
		}
		to := s.destOf(v, on)
		up, err := s.upstream(to)
		if err != nil {
			s.unreachable(f, to, err)
			return
		}
		if s.enterPull(f, v, up, on, member) {
			up.write(f)
			return
		}
	}
}

// destOf is where a group's requests about a queue go to while it reads from a side.
func (s *session) destOf(v *view, on routing.Side) routing.Dest {
	if on == routing.Target {
		return routing.Dest{Side: routing.Target, Broker: v.queue.lane.Load().Target.Broker}
	}
	return s.port.Dest
}

// enterPull enters a pull and translates it, unless the group's side isn't where it goes to any
// more.
func (s *session) enterPull(f *wire.Frame, v *view, up *upstream, on routing.Side, member bool) bool {
	offset := offsetOf(f)
	commit := commitOf(f)
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.moving || v.gone || v.side != on {
		return false
	}
	if member { // who may read nothing must not make what others are told the answer to an older pull
		v.asked++
	}
	if commit > 0 {
		v.claims(commit)
	}
	c := callOf(f)
	c.up, c.side, c.view, c.asked = up, on, v, v.asked
	c.offset, c.commit, c.commits, c.member = offset, commit, commit > 0, member
	f.SetOpaque(s.enter(c))
	if on == routing.Source && v.shift[routing.Source] == 0 {
		return true
	}
	f.SetNumber("queueOffset", v.native(on, offset))
	if commit >= 0 {
		f.SetNumber("commitOffset", v.native(on, commit))
	}
	s.address(f, v, on)
	if on == routing.Target && f.Code == remoting.CodeLitePull {
		f.SetCode(remoting.CodePull) // the same for brokers, but that 5.3.3 asks nobody for rights to the other
	}
	return true
}

// address gives a request the names that the target has for a queue.
func (s *session) address(f *wire.Frame, v *view, on routing.Side) {
	if on == routing.Target {
		lane := v.queue.lane.Load()
		f.SetNumber("queueId", int64(lane.Target.ID))
		f.Set("bname", lane.Target.Broker)
	}
}

// pulled passes the answer to a pull on. Only if it is the group's newest pull of the queue, and
// nobody moves the group just now, does it say what the group reads next: then whoever moves it
// afterwards begins there.
func (u *upstream) pulled(f *wire.Frame, c call) error {
	shift, ahead, there := u.read(f, c)
	switch {
	case !there:
		return nil // whoever moves the group has answered it
	case ahead:
		u.session.owe(aheadPause, nil, c)
		return nil
	case c.side == routing.Source && shift == 0:
		if c.view.queue.retries() { // copies of what failed on the target
			u.rename(f, c.view.queue.topic)
		}
		return u.session.out.Frame(f)
	}
	for _, key := range [...]string{"nextBeginOffset", "minOffset", "maxOffset"} {
		if n, ok := f.Number(key); ok {
			f.SetNumber(key, max(0, n-shift))
		}
	}
	v := c.view
	moved := wire.Moved{Queue: v.queue.id, Shift: shift}
	if c.side == routing.Target {
		f.Replace("suggestWhichBrokerId", "0")
		moved.Tag, moved.Stored = u.session.gateway.sides.tag(u.dest.Broker), u.session.port.address()
	}
	if err := moved.Move(f.Body); err != nil {
		if u.session.gateway.figures.said.unreadable.Due(u.dest) {
			u.session.gateway.log.Error("a broker's messages can't be read", "broker", u.dest.Broker, "topic",
				v.queue.topic, "queue", v.queue.id, "cause", err)
		}
		u.session.pullAgain(c)
		return nil
	}
	u.rename(f, v.queue.topic)
	return u.session.out.Frame(f)
}

// read takes a pull out of the table with its answer, and notes what that says of the group: ahead,
// that the group has read what isn't copied yet.
func (u *upstream) read(f *wire.Frame, c call) (shift int64, ahead, there bool) {
	v := c.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, there = u.session.take(f.Opaque, u); !there {
		return 0, false, false
	}
	f.SetOpaque(c.opaque)
	shift = v.shift[c.side]
	if c.commits && pullTaken(f.Code) {
		v.takes(c)
	}
	if v.ahead(f, c) {
		if v.saidAhead() && u.session.gateway.figures.said.ahead.Due(v.group) {
			u.session.gateway.log.Warn(
				"a group has read more of a queue than is copied yet to the side that it reads now: it waits "+
					"for the lane",
				"group",
				v.group,
				"queue",
				v.queue.String(),
				"side",
				c.side.String(),
				"offset",
				c.offset,
			)
		}
		return shift, true, true
	}
	v.answers(f, c)
	if next, ok := f.Number("nextBeginOffset"); ok && pullTaken(f.Code) && c.asked == v.asked {
		v.next, v.nextAt = next-shift, time.Now()
	}
	return shift, false, true
}

// pullTaken reports whether a broker that answers so has done what the pull asks for, its commit
// among it. Others refuse it whole.
func pullTaken(code int) bool {
	return code == remoting.Success || code == remoting.PullNotFound || code == remoting.PullRetryImmediately ||
		code == remoting.PullOffsetMoved
}

const (
	// aheadPause is how soon a client asks again that is ahead of copies.
	aheadPause = 20 * time.Millisecond
	// aheadSaid is how often it is said.
	aheadSaid = 10 * time.Second
)

// ahead reports whether a broker refuses a pull as the group has read what isn't copied there yet.
// A gateway that is in doubt lets a group read on where it was, and may hear after some more
// messages that it reads on the other side now. The client must not get the broker's advice: it is
// to begin anew at the end of the queue, and with 4.8 and before perhaps at its beginning. Callers
// hold v.mu.
func (v *view) ahead(f *wire.Frame, c call) bool {
	end, known := f.Number("maxOffset")
	return f.Code == remoting.PullOffsetMoved && known && v.native(c.side, c.offset) > end && v.queue.at() != c.side
}

// saidAhead reports whether that is to be said, which many pulls would do. Callers hold v.mu.
func (v *view) saidAhead() bool {
	if time.Since(v.aheadAt) < aheadSaid {
		return false
	}
	v.aheadAt = time.Now()
	return true
}
