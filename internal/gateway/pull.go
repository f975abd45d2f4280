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
		on, changes, is := v.Pull(s, f, offsetOf(f), member)
		switch is {
		case routing.PullForgotten:
			s.pull(f)
			return
		case routing.PullCrowded:
			s.giveUp(pullOf(f), "")
			return
		case routing.PullWaits:
			return
		case routing.PullGoes:
		}
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
func (s *session) destOf(v *routing.View, on routing.Side) routing.Dest {
	if on == routing.Target {
		return routing.Dest{Side: routing.Target, Broker: v.Queue.Lane().Target.Broker}
	}
	return s.port.Dest
}

// enterPull enters a pull and translates it, unless the group's side isn't where it goes to any
// more.
func (s *session) enterPull(f *wire.Frame, v *routing.View, up *upstream, on routing.Side, member bool) bool {
	offset := offsetOf(f)
	commit := commitOf(f)
	c := callOf(f)
	c.up, c.side, c.view = up, on, v
	c.offset, c.commit, c.commits, c.member = offset, commit, commit > 0, member
	shift, ok := v.Enter(on, commit, member, func(asked uint64) {
		c.asked = asked
		f.SetOpaque(s.enter(c))
	})
	if !ok || on == routing.Source && shift == 0 {
		return ok
	}
	f.SetNumber("queueOffset", max(0, offset+shift))
	if commit >= 0 {
		f.SetNumber("commitOffset", max(0, commit+shift))
	}
	s.address(f, v, on)
	if on == routing.Target && f.Code == remoting.CodeLitePull {
		f.SetCode(remoting.CodePull) // the same for brokers, but that 5.3.3 asks nobody for rights to the other
	}
	return true
}

// address gives a request the names that the target has for a queue.
func (s *session) address(f *wire.Frame, v *routing.View, on routing.Side) {
	if on == routing.Target {
		lane := v.Queue.Lane()
		f.SetNumber("queueId", int64(lane.Target.ID))
		f.Set("bname", lane.Target.Broker)
	}
}

// pulled passes the answer to a pull on. Only if it is the group's newest pull of the queue, and
// nobody moves the group just now, does it say what the group reads next: then whoever moves it
// afterwards begins there.
func (u *upstream) pulled(f *wire.Frame, c call) error {
	is, there := u.read(f, c)
	shift := is.Shift
	switch {
	case !there:
		return nil // whoever moves the group has answered it
	case is.Ahead:
		u.session.owe(aheadPause, nil, c)
		return nil
	case c.side == routing.Source && shift == 0:
		if c.view.Queue.Retries() { // copies of what failed on the target
			u.rename(f, c.view.Queue.Topic)
		}
		return u.session.out.Frame(f)
	}
	for _, key := range [...]string{"nextBeginOffset", "minOffset", "maxOffset"} {
		if n, ok := f.Number(key); ok {
			f.SetNumber(key, max(0, n-shift))
		}
	}
	v := c.view
	moved := wire.Moved{Queue: v.Queue.ID, Shift: shift}
	if c.side == routing.Target {
		f.Replace("suggestWhichBrokerId", "0")
		moved.Tag, moved.Stored = u.session.gateway.sides.Tag(u.dest.Broker), u.session.port.address()
	}
	if err := moved.Move(f.Body); err != nil {
		if u.session.gateway.figures.said.unreadable.Due(u.dest) {
			u.session.gateway.log.Error("a broker's messages can't be read", "broker", u.dest.Broker, "topic",
				v.Queue.Topic, "queue", v.Queue.ID, "cause", err)
		}
		u.session.pullAgain(c)
		return nil
	}
	u.rename(f, v.Queue.Topic)
	return u.session.out.Frame(f)
}

// read takes a pull out of the table with its answer, and notes what that says of the group.
func (u *upstream) read(f *wire.Frame, c call) (is routing.Answered, there bool) {
	v := c.view
	pull := routing.Pulling{
		Side: c.side, Offset: c.offset, Member: c.member, Asked: c.asked, Commits: c.commits, Commit: c.commit,
	}
	is, there = v.Answer(f, pull, func() bool {
		_, there := u.session.take(f.Opaque, u)
		if there {
			f.SetOpaque(c.opaque)
		}
		return there
	})
	if is.Says && u.session.gateway.figures.said.ahead.Due(v.Group) {
		u.session.gateway.log.Warn(
			"a group has read more of a queue than is copied yet to the side that it reads now: it waits "+
				"for the lane", "group", v.Group, "queue", v.Queue.String(), "side", c.side.String(), "offset", c.offset)
	}
	return is, there
}

// aheadPause is how soon a client asks again that is ahead of copies.
const aheadPause = 20 * time.Millisecond

// What a pull asks for tells where a group is, before a broker has answered and where none answers
// any more. It counts from members only: a broker of the source has taken a heartbeat of the same
// connection that names the group and the topic, and brokers look at the rights to both
// (PlainAccessResource.parse, 4.9.7). What others ask for counts when a broker has answered it.

// ofMember reports whether a pull comes from a member that a broker has taken, under the same
// access key, which was verified where there are keys.
func (s *session) ofMember(f *wire.Frame) bool {
	accessKey := f.Get(wire.FieldAccessKey)
	if _, known := s.gateway.keys.Of(accessKey); s.gateway.keys.Given() && !known {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(f.Text(wire.FieldAccessKey)) == s.accessKey &&
		s.subscriptions.Has(f.Text("consumerGroup"), f.Text("topic"))
}
