package gateway

import (
	"bytes"
	"strconv"
	"strings"
	"sync"
	"time"

	"rocketshift/internal/gateway/wire"
)

// keysOf are the names of a send's fields: long in SEND_MESSAGE, letters in SEND_MESSAGE_V2 and SEND_BATCH_MESSAGE.
func keysOf(code int) (topic, queue, broker, properties string) {
	if code == codeSend {
		return "topic", "queueId", "bname", "properties"
	}
	return "b", "e", "n", "i"
}

// send sends a message to its queue's home, or keeps it while the home moves. One that was kept and is released goes at once.
func (s *session) send(f *wire.Frame, released bool) {
	topicKey, queueKey, brokerKey, propertiesKey := keysOf(f.Code)
	q := s.queueOf(f, topicKey, queueKey)
	if q == nil {
		s.pass(f)
		return
	}
	for {
		if h := q.hold.Load(); h != nil && (!released || h.refuses) {
			if h.refuses {
				s.refuse(f, serviceNotAvailable, "topic "+q.topic+" is ordered, and other gateways may send to its other side: try again")
				return
			}
			if h.park(s, f) {
				return
			}
			<-h.done // those that have waited go first
			continue
		}
		if s.fenced.Load() && s.ordered(q.topic) {
			s.refuse(f, serviceNotAvailable, "topic "+q.topic+" is ordered, and the gateway hasn't reached the source's brokers for so long that other gateways may have moved on: try again")
			return
		}
		home := q.at()
		to := s.port.dest
		if home == target {
			to = dest{target, q.lane.Load().Target.Broker}
		}
		up, err := s.upstream(to)
		if err != nil {
			s.unreachable(f, to, err)
			return
		}
		c := call{code: f.Code, up: up, side: home, queue: q, oneWay: f.OneWay(), binary: f.Binary}
		if elsewhere(f.Get(propertiesKey)) {
			c.offset = -1
		}
		if !s.enterSend(f.Opaque, c, released) {
			continue // its home has begun to move
		}
		if c.oneWay {
			f.SetFlag(f.Flag &^ wire.FlagOneWay) // so that a move can wait for it
		}
		if home == target {
			f.SetNumber(queueKey, int64(q.lane.Load().Target.ID))
			f.Set(brokerKey, to.broker)
		}
		up.write(f)
		return
	}
}

// enterSend enters a send, unless the queue's home isn't where it goes to any more. Who moves a home looks for sends afterwards.
func (s *session) enterSend(opaque int32, c call, released bool) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.queue.hold.Load() != nil && !released || c.queue.at() != c.side {
		return false
	}
	s.open[opaque] = c
	return true
}

// elsewhere reports whether the answer to a send names an offset of another topic: of those that hold delayed and half messages.
func elsewhere(properties []byte) bool {
	return bytes.Contains(properties, []byte("TRAN_MSG")) || bytes.Contains(properties, []byte("DELAY")) ||
		bytes.Contains(properties, []byte("TIMER_"))
}

// sent takes note of where a message was stored, and translates that for the producer.
func (u *upstream) sent(f *wire.Frame, c call) {
	stored := f.Code == success || f.Code >= flushDiskTimeout && f.Code <= flushSlaveTimeout
	if !stored || c.queue == nil {
		return
	}
	offset, ok := f.Number("queueOffset")
	if ok && c.offset == 0 {
		c.queue.acknowledged(c.side, offset)
	}
	if c.side == source {
		return
	}
	f.SetNumber("queueId", int64(c.queue.id))
	if ok && c.offset == 0 {
		f.SetNumber("queueOffset", offset-c.queue.shift.Load())
	}
	if ids := f.Get("msgId"); ids != nil {
		f.Set("msgId", tagIDs(string(ids), u.tag(u.dest.broker)))
	}
}

// tagIDs sets a tag in offset message ids: the last 16 of their hexadecimal digits are an offset in the commit log.
func tagIDs(ids string, tag int64) string {
	all := strings.Split(ids, ",")
	for i, id := range all {
		if len(id) < 16 {
			continue
		}
		at := len(id) - 16
		if n, err := strconv.ParseUint(id[at:], 16, 64); err == nil {
			all[i] = id[:at] + strings.ToUpper(padded(n|uint64(tag)))
		}
	}
	return strings.Join(all, ",")
}

func padded(n uint64) string {
	digits := strconv.FormatUint(n, 16)
	return strings.Repeat("0", 16-len(digits)) + digits
}

// hold keeps sends to queues whose home moves.
type hold struct {
	refuses bool // they are refused instead

	mu     sync.Mutex
	ended  bool
	parked []parked
	done   chan struct{} // closed when all that waited are on their way
}

// parked is a request that waits.
type parked struct {
	session *session
	raw     []byte
	since   time.Time
}

// park keeps a request until the hold ends; false if it has ended.
func (h *hold) park(s *session, f *wire.Frame) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.ended {
		return false
	}
	h.parked = append(h.parked, parked{s, bytes.Clone(f.Bytes()), time.Now()})
	return true
}

// end returns what waits, in the order in which it came; nothing is kept any more.
func (h *hold) end() []parked {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended = true
	return h.parked
}

// release takes a request up that has waited.
func (s *session) release(raw []byte) {
	var f wire.Frame
	if f.Parse(raw) != nil {
		return
	}
	if sends(f.Code) {
		s.send(&f, true)
		return
	}
	s.request(&f)
}
