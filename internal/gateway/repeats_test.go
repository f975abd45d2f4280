package gateway

import (
	"fmt"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// delivery is a message that a member has worked on, and what tells one that was sent twice from one that was read twice.
type delivery struct {
	member  string
	attempt string // which attempt to send it this is, if a producer's sends are told apart
	id      string // made by the producer, the same when its client sends a message once more
	stored  string // where the broker that the lanes copied it from, or that it was sent to, keeps it
	queue   string
	offset  int64 // as the member sees it
	at      time.Time
}

func deliveryOf(member, attempt string, m *primitive.MessageExt) delivery {
	d := delivery{member: member, attempt: attempt, id: m.MsgId, stored: m.OffsetMsgId, offset: m.QueueOffset, at: time.Now()}
	if m.Queue != nil {
		d.queue = fmt.Sprint(m.Queue.BrokerName, " ", m.Queue.QueueId)
	}
	return d
}

func (d delivery) String() string {
	return fmt.Sprintf("%s by %s, attempt %q, id %s, stored %s, queue %s offset %d", d.at.UTC().Format("15:04:05.000"), d.member, d.attempt, d.id, d.stored, d.queue, d.offset)
}

// repeats are what members got more than once.
type repeats struct {
	first map[string]delivery
	again []string
}

// mostRepeats is how many are told.
const mostRepeats = 20

func (r *repeats) note(key string, n int, d delivery) {
	name := fmt.Sprint(key, " ", n)
	first, known := r.first[name]
	switch {
	case !known && r.first == nil:
		r.first = map[string]delivery{name: d}
	case !known:
		r.first[name] = d
	case len(r.again) < mostRepeats:
		r.again = append(r.again, fmt.Sprintf("%s: %s; before %s", name, d, first))
	}
}
