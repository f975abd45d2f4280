package gateway

import (
	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
)

// What a broker of the target asks a client, or shows it as one message, has the names that the
// client knows: those of the source (docs/explanation/names-that-clients-see.md has the list).

// tellAnswer gives an answer to a request that is rare the names that the client knows.
func (u *upstream) tellAnswer(f *wire.Frame, c call) {
	if (c.code == remoting.CodeReply || c.code == remoting.CodeReplyV2) && f.Code == remoting.Success {
		u.session.replied.Store(true)
	}
	switch {
	case c.code == remoting.CodeRoute || c.code == remoting.CodeClusterInfo:
		u.routed(f)
	case c.side == routing.Source:
	case c.code == remoting.CodeReply || c.code == remoting.CodeReplyV2:
		u.tellIDs(f.Get("msgId"))
	case c.code == remoting.CodeViewMessage:
		u.tellMessage(f, true)
	}
}

// tellPush gives a request of a target broker to the client the names that it knows; false if it
// can't be passed on.
func (u *upstream) tellPush(f *wire.Frame) bool {
	switch f.Code {
	case remoting.CodeCheckTransaction:
		return u.tellCheck(f)
	case remoting.CodeConsumeDirectly:
		broker := string(u.session.port.broker)
		if q := u.tellMessage(f, true); q != nil {
			broker = q.Broker
		}
		f.Replace("brokerName", broker)
	case remoting.CodePushReply:
		u.tellReply(f)
	}
	return true
}

// tellCheck gives a question about a transaction what the client needs to answer at this gateway.
// Its message lies in the topic of half messages: its offset in the queue says nothing of its own.
func (u *upstream) tellCheck(f *wire.Frame) bool {
	if err := bodies.OddNumber(f, bodies.NumbersOf(f.Code)); err != nil {
		if u.session.gateway.figures.said.odd.Due(u.dest) {
			u.session.gateway.log.Error("a check of a transaction can't be read", "broker", u.dest.Broker, "cause", err)
		}
		return false // it is asked again
	}
	if offset, ok := f.Number("commitLogOffset"); ok {
		f.SetNumber("commitLogOffset", offset|u.session.gateway.sides.Tag(u.dest.Broker))
	}
	u.tellIDs(f.Get("offsetMsgId"))
	f.Replace("bname", string(u.session.port.broker))
	u.tellMessage(f, false)
	return true
}

// tellMessage gives the one message of a target broker that a frame holds its place on the
// source, and returns its queue there; nil if it isn't one of a pair. shifts says whether its
// offset in the queue is one of that queue.
func (u *upstream) tellMessage(f *wire.Frame, shifts bool) *routing.Queue {
	topic, id, whole := wire.PlaceOf(f.Body)
	if !whole {
		return nil
	}
	moved := wire.Moved{Queue: id, Tag: u.session.gateway.sides.Tag(u.dest.Broker), Stored: u.session.port.address()}
	q := u.session.gateway.table.PairOf(topic, lane.Queue{Broker: u.dest.Broker, ID: id})
	if q != nil {
		moved.Queue = q.ID
		if shifts {
			moved.Shift = q.Shift()
		}
	}
	if moved.Move(f.Body) == nil {
		u.rename(f, topic)
	}
	return q
}
