package gateway

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// delivery is a message that a member has worked on, and what tells one that was sent twice from
// one that was read twice.
type delivery struct {
	member  string
	life    string // which start of the member this was
	attempt string // which attempt to send it this is
	id      string // made by the producer, the same when its client sends a message once more
	stored  string // where the broker that the lanes copied it from, or that it was sent to, keeps it
	queue   string
	offset  int64 // as the member sees it
	// the member's client had failed to give the message back, as the broker was late, and takes
	// care of it itself; the broker does too
	own bool
	at  time.Time
}

var lives atomic.Int64

// newLife names one start of a member.
func newLife(member string) string { return fmt.Sprint(member, ", life ", lives.Add(1)) }

func deliveryOf(member, life string, m *primitive.MessageExt) delivery {
	d := delivery{
		member:  member,
		life:    life,
		attempt: "0",
		id:      m.MsgId,
		stored:  m.OffsetMsgId,
		offset:  m.QueueOffset,
		at:      time.Now(),
	}
	if m.Queue != nil {
		d.queue = fmt.Sprint(m.Queue.BrokerName, " ", m.Queue.QueueId)
	}
	return d
}

func (d delivery) String() string {
	return fmt.Sprintf("%s by %s, attempt %s, id %s, stored %s, queue %s offset %d",
		d.at.UTC().Format("15:04:05.000"), d.life, d.attempt, d.id, d.stored, d.queue, d.offset)
}

// deliveries are what members got of a message, by attempts to send it.
type deliveries map[string]*delivered

// delivered is how often an attempt to send a message was delivered.
type delivered struct {
	first, last delivery
	all, own    int
	handedOver  int // to another one than the last time
}

// times is how often, without what the member's client has made itself.
func (d *delivered) times() int { return max(1, d.all-d.own) }

// note returns the delivery before, if there was one.
func (all deliveries) note(d delivery) (before *delivery) {
	one := all[d.attempt]
	if one == nil {
		one = &delivered{first: d}
		all[d.attempt] = one
	} else {
		last := one.last
		before = &last
		if last.life != d.life {
			one.handedOver++
		}
	}
	one.all++
	if d.own {
		one.own++
	}
	one.last = d
	return before
}

// any is one of them.
func (all deliveries) any() string {
	for _, d := range all {
		return d.first.String()
	}
	return "nothing"
}

// mostRepeats is how many are told.
const mostRepeats = 20
