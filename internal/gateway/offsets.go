package gateway

import (
	"strconv"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// queryOffset asks for a group's position on the side that it reads.
func (s *session) queryOffset(f *wire.Frame) {
	v, wants := s.viewOf(f)
	switch {
	case wants != nil:
		s.passNew(f, wants, call{})
		return
	case v == nil:
		s.pass(f)
		return
	}
	on, ok := v.Ask()
	if !ok {
		s.queryOffset(f)
		return
	}
	s.address(f, v, on)
	s.forward(f, s.destOf(v, on), call{view: v})
}

// queried answers with the later of what the broker knows and what was last committed through here,
// which may have gone to the other side just before the group moved.
func (u *upstream) queried(f *wire.Frame, c call) error {
	v := c.view
	kept, shift := v.Awaited(c.side)
	offset, ok := f.Number("offset")
	switch {
	case f.Code == remoting.Success && ok:
		if offset -= shift; offset < kept || shift != 0 {
			f.SetNumber("offset", max(offset, kept, 0))
		}
	case f.Code == remoting.QueryNotFound && kept >= 0:
		u.session.reply(c.opaque, c.binary,
			wire.Reply{Code: remoting.Success, Fields: []string{"offset", strconv.FormatInt(kept, 10)}})
		return nil
	}
	return u.session.out.Frame(f)
}

// updateOffset commits a group's position on the side that it reads; the other side gets it soon
// after.
func (s *session) updateOffset(f *wire.Frame) {
	v, wants := s.viewOf(f)
	commit, ok := f.Number("commitOffset")
	switch {
	case wants != nil && ok:
		s.passNew(f, wants, call{commits: true, commit: commit})
		return
	case v == nil || !ok:
		s.pass(f)
		return
	}
	on, native, ok := v.Commit(commit)
	if !ok {
		s.updateOffset(f)
		return
	}
	if native != commit {
		f.SetNumber("commitOffset", native)
	}
	s.address(f, v, on)
	s.forward(f, s.destOf(v, on), call{view: v, commits: true, commit: commit})
}

// askBound asks for a queue's first or last offset at its home.
func (s *session) askBound(f *wire.Frame) {
	q := s.queueOf(f, "topic", "queueId")
	if q == nil || q.At() == routing.Source {
		s.pass(f)
		return
	}
	lane := q.Lane()
	f.SetNumber("queueId", int64(lane.Target.ID))
	f.Set("bname", lane.Target.Broker)
	s.forward(f, routing.Dest{Side: routing.Target, Broker: lane.Target.Broker}, call{queue: q})
}

func (u *upstream) bound(f *wire.Frame, c call) {
	if offset, ok := f.Number("offset"); ok && c.queue != nil {
		f.SetNumber("offset", max(0, offset-c.queue.Shift()))
	}
}

// byCommitLog sends a request about a message to the broker that the message's offset is of.
func (s *session) byCommitLog(f *wire.Frame, key string) {
	offset, ok := f.Number(key)
	number, offset := replicas.Untag(offset)
	if !ok || number < 0 {
		s.pass(f)
		return
	}
	broker, known := s.gateway.sides.Tagged(number)
	if !known {
		s.refuse(f, remoting.SystemError,
			"the message's offset is of a target broker that isn't known: was the gateway's state lost?")
		return
	}
	f.SetNumber(key, offset)
	f.Replace("bname", broker)
	s.forward(f, routing.Dest{Side: routing.Target, Broker: broker}, call{})
}
