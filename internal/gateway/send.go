package gateway

import (
	"bytes"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// keysOf are the names of a send's fields: long in SEND_MESSAGE and SEND_REPLY_MESSAGE, letters in
// SEND_MESSAGE_V2, SEND_BATCH_MESSAGE and SEND_REPLY_MESSAGE_V2.
func keysOf(code int) (topic, queue, broker, properties string) {
	if code == remoting.CodeSend || code == remoting.CodeReply {
		return "topic", "queueId", "bname", "properties"
	}
	return "b", "e", "n", "i"
}

// send sends a message to its queue's home, or keeps it while the home moves. What has been kept by
// a hold goes past it.
func (s *session) send(f *wire.Frame, past *routing.Hold) {
	topicKey, queueKey, brokerKey, propertiesKey := keysOf(f.Code)
	q := s.queueOf(f, topicKey, queueKey)
	if q == nil {
		s.sendAnywhere(f, topicKey, queueKey)
		return
	}
	for {
		if h := q.Hold(); h != nil && h != past {
			if h.Refuses() {
				s.refuse(f, remoting.ServiceNotAvailable, "topic "+q.Topic+otherSide)
				return
			}
			if h.Park(s, f) {
				return
			}
			past = h
			continue
		}
		if s.gateway.lease.Fenced() && s.gateway.sides.Ordered(q.Topic) {
			s.refuseFenced(f, q)
			return
		}
		home := q.At()
		stores := s.gateway.sides.StoresAt(home, f.Get(propertiesKey))
		to := s.port.Dest
		if stores == routing.Target {
			to = routing.Dest{Side: routing.Target, Broker: q.Lane().Target.Broker}
		}
		if !s.mayGo(f, stores, stores == routing.Target) {
			return
		}
		up, err := s.upstream(to)
		if err != nil {
			s.unreachable(f, to, err)
			return
		}
		c := callOf(f)
		c.since, c.up, c.side, c.queue = time.Now(), up, stores, q
		c.size, c.transaction = int32(len(f.Body)), transacts(f, propertiesKey)
		c.level, c.timer = delays(f, propertiesKey, c.since)
		if q.Retries() || elsewhere(f.Get(propertiesKey)) {
			c.offset = -1
		}
		opaque, entered := s.enterSend(c, home, past)
		if !entered {
			continue // its home has begun to move
		}
		f.SetOpaque(opaque)
		if c.oneWay {
			f.SetFlag(f.Flag &^ wire.FlagOneWay) // so that a move can wait for it
		}
		if stores == routing.Target {
			f.SetNumber(queueKey, int64(q.Lane().Target.ID))
			f.Set(brokerKey, to.Broker)
		}
		up.write(f)
		return
	}
}

// otherSide says of a topic why sends to it are refused while a hold refuses.
const otherSide = " is ordered, and other gateways may send to its other side: try again"

// refuseFenced refuses a send to an ordered topic while the gateway's lease has run out.
func (s *session) refuseFenced(f *wire.Frame, q *routing.Queue) {
	s.refuse(f, remoting.ServiceNotAvailable, "topic "+q.Topic+" is ordered, and the gateway hasn't reached the "+
		"source's brokers for so long that other gateways may have moved on: try again")
}

// sendAnywhere passes a send to a queue that the gateway doesn't know, unless its broker would pick
// one of a topic that it knows.
func (s *session) sendAnywhere(f *wire.Frame, topicKey, queueKey string) {
	if s.picksNoQueue(f, topicKey, queueKey) {
		s.refuse(f, remoting.SystemError, "the request names no queue of topic "+string(f.Text(topicKey))+
			": its broker would pick one, past the queue's home")
		return
	}
	s.pass(f)
}

// enterSend enters a send, unless the queue's home isn't where it goes to any more. Who moves a
// home looks for sends afterwards.
func (s *session) enterSend(c call, home routing.Side, past *routing.Hold) (opaque int32, entered bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := c.queue.Hold(); h != nil && h != past || c.queue.At() != home {
		return 0, false
	}
	return s.put(c), true
}

// elsewhere reports whether the answer to a send names an offset of another topic: of those that
// hold delayed and half messages.
func elsewhere(properties []byte) bool {
	return bytes.Contains(properties, []byte("TRAN_MSG")) || bytes.Contains(properties, []byte("DELAY")) ||
		bytes.Contains(properties, []byte("TIMER_"))
}

// stores reports whether an answer says that the message is stored.
func stores(code int) bool {
	return code == remoting.Success || code >= remoting.FlushDiskTimeout && code <= remoting.FlushSlaveTimeout
}

// judgeSent takes note of where a message was stored, or that it may be stored yet.
func (u *upstream) judgeSent(f *wire.Frame, c call) {
	if !stores(f.Code) {
		if u.mayBeStored(f) {
			u.session.gateway.unanswered(c)
		}
		return
	}
	u.session.wrote.note(&c.queue.Topic)
	c.queue.Kinds.Note(routing.SentMessage{Size: c.size, Transaction: c.transaction, Level: c.level, Timer: c.timer})
	if offset, ok := f.Number("queueOffset"); ok && c.offset == 0 {
		c.queue.Acknowledged(c.side, offset)
		u.sampled(c.queue, offset)
	}
}

// sent translates where a message was stored for the producer.
func (u *upstream) sent(f *wire.Frame, c call) {
	if !stores(f.Code) || c.queue == nil || c.side == routing.Source {
		return
	}
	offset, ok := f.Number("queueOffset")
	f.SetNumber("queueId", int64(c.queue.ID))
	if ok && c.offset == 0 {
		f.SetNumber("queueOffset", offset-c.queue.Shift())
	}
	u.tellIDs(f.Get("msgId"))
	f.Replace("recallHandle", "") // it names a broker that clients don't find
}
