package replicator

import (
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/replica"
)

// bornWithin is how far the born time of a copy may differ from its original's while the lane has a
// lag. The stamp carries the exact one.
const bornWithin = time.Second

// batcher makes batches of what was read. It belongs to the copying loop.
type batcher struct {
	lane   *laneWorker
	bytes  int   // most bytes of a batch of several messages
	single bool  // each message is sent alone
	untold bool  // only the broker's answers show whether it takes batches
	trial  bool  // a message is sent alone to find that out
	narrow int64 // messages up to this offset are sent one by one, to find the one that the target refuses

	messages []rocketmq.BatchMessage // memory of the last batch
	arena    []byte                  // memory of its stamps
}

// limit sets what the target's broker takes.
func (b *batcher) limit(takes replica.Batches) {
	b.bytes, b.untold = takes.Bytes, takes.Untold
	b.single = takes.None || replica.Alone(b.lane.Topic) || b.trial
}

// cut takes the first messages that may share a batch: brokers store system flags, born time and
// reconsume count once per batch. Where exact is set, born times are the same for all of them.
// taken also counts the messages that aren't copied, newest is the offset of the last one that is.
func (b *batcher) cut(
	stamps *replica.Stamper,
	messages []replica.Message,
	exact bool,
) (batch rocketmq.BatchRequest, taken int, newest int64, err error) {
	l := b.lane
	batch = rocketmq.BatchRequest{Group: l.options.Group, Topic: l.Topic, Queue: l.Target.ID}
	batch.Messages = b.messages[:0] // the batch that used this memory has been answered
	within := bornWithin.Milliseconds()
	if exact || l.options.ExactBorn {
		within = 0
	}
	size := 0
	arena := b.arena[:0]
	most := min(l.options.BatchMessages, l.pacer.Most(l.Topic))
	if messages[0].Position < b.narrow || b.single {
		most = 1
	}
	for _, m := range messages[:min(len(messages), most)] {
		if m.Skip {
			taken++
			continue
		}
		empty := len(batch.Messages) == 0
		if empty {
			batch.SysFlag, batch.BornTimestamp, batch.ReconsumeTimes = m.SysFlag&remoting.FlagsOfContent, m.BornTimestamp, m.ReconsumeTimes
		}
		late := m.BornTimestamp - batch.BornTimestamp
		if m.SysFlag&remoting.FlagsOfContent != batch.SysFlag || late > within || -late > within ||
			m.ReconsumeTimes != batch.ReconsumeTimes {
			break
		}
		copied := rocketmq.BatchMessage{Flag: m.Flag, Body: m.Body}
		arena, copied.Properties, copied.Added = stamps.Properties(
			arena,
			m.Properties,
			m.Position,
			trueBorn(m, late),
			m.Via,
		)
		if long := copied.PropertiesSize(); long > remoting.MaxProperties {
			if taken > 0 {
				break // those before it are copied first
			}
			return batch, 0, 0, l.propertiesTooLong(m.Position, long)
		}
		size += copied.Size()
		if size > b.bytes && !empty {
			break
		}
		batch.Messages = append(batch.Messages, copied)
		newest = m.Position
		taken++
	}
	b.messages, b.arena = batch.Messages, arena
	return batch, taken, newest, nil
}

// trueBorn is the born time that the stamp carries: none where the copy itself has the right one.
func trueBorn(m replica.Message, late int64) int64 {
	if m.Via != "" { // the message may itself be a copy with another one
		if born := replica.BornOf(m.Message); born != m.BornTimestamp {
			return born
		}
	}
	if late == 0 {
		return 0
	}
	return m.BornTimestamp
}

// tryAlone reports whether the messages of a refused batch must be tried again, each sent alone:
// the broker may take no batches at all. That is certain when it has taken a message that was sent
// alone.
func (b *batcher) tryAlone(err error) bool {
	if remoting.CodeOf(err) != remoting.MessageIllegal || !b.untold || b.single {
		b.trial = false
		return false
	}
	b.trial = true
	return true
}

// learnAlone tells all lanes of this process that the target's broker takes no batches, if a trial
// has just shown it.
func (b *batcher) learnAlone() {
	if b.trial {
		b.trial = false
		b.lane.maintenance.sendAlone(b.lane.Target.Broker)
	}
}

// learnt says that the broker's answers have shown that it takes no batches; it is empty otherwise.
func (b *batcher) learnt() string {
	if !b.untold || !b.single || b.trial || replica.Alone(b.lane.Topic) {
		return ""
	}
	return "broker " + b.lane.Target.Broker + " takes no batches, as its answers show: messages are sent one by one"
}
