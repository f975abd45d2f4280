package replicator

import (
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
)

// bornWithin is how far the born time of a copy may be from its original's while the lane is
// behind. The exact one is in the stamp.
const bornWithin = time.Second

// cut takes the first messages that may share a batch: brokers store system flags, born time and
// reconsume count once per batch. Where exact is set, born times are the same for all of them.
// taken counts those that aren't to be copied too, newest is the offset of the last one that is.
func (l *laneWorker) cut(
	messages []replica.Message,
	exact bool,
) (batch rocketmq.BatchRequest, taken int, newest int64, err error) {
	batch = rocketmq.BatchRequest{
		Group:    l.options.Group,
		Topic:    l.Topic,
		Queue:    l.Target.ID,
		Messages: l.batch[:0],
	} // that one has landed
	within := bornWithin.Milliseconds()
	if exact || l.options.ExactBorn {
		within = 0
	}
	size := 0
	arena := l.stamps[:0]
	most := min(l.options.BatchMessages, l.pacer.most(l.Topic))
	if messages[0].Position < l.narrow || l.single {
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
		arena, copied.Properties, copied.Added = l.Properties(arena, m.Properties, m.Position, trueBorn(m, late), m.Via)
		if long := copied.PropertiesSize(); long > remoting.MaxProperties {
			if taken > 0 {
				break // those before it are copied first
			}
			return batch, 0, 0, l.propertiesTooLong(m.Position, long)
		}
		size += copied.Size()
		if size > l.batchBytes && !empty {
			break
		}
		batch.Messages = append(batch.Messages, copied)
		newest = m.Position
		taken++
	}
	l.batch, l.stamps = batch.Messages, arena
	return batch, taken, newest, nil
}

// trueBorn is what the stamp says of the born time: nothing where the copy has the right one.
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

// segmentsOf are those of a batch, with positions on the target that count from the batch's first
// one.
func segmentsOf(messages []replica.Message) (all []positions.Segment) {
	copies := int64(0)
	for _, m := range messages {
		if m.Skip {
			continue
		}
		all = append(all, positions.Segment{Source: m.Position, Target: copies, Length: 1})
		copies++
	}
	return positions.Joined(all)
}

// tell publishes what a batch has copied.
func (l *laneWorker) tell(segments []positions.Segment, stored int64) {
	lane := l.Lane
	for i := range segments {
		segments[i].Target += stored
		if l.back {
			segments[i].Source, segments[i].Target = segments[i].Target, segments[i].Source
		}
	}
	if l.back {
		lane = lane.Back()
	}
	l.options.Copied(lane, segments)
}

// tryAlone reports whether a refused batch is to be tried again as messages that are sent alone:
// the broker may take no batches at all. That is known when it has taken one so.
func (l *laneWorker) tryAlone(err error) bool {
	if remoting.CodeOf(err) != remoting.MessageIllegal || !l.untold || l.single {
		l.trial = false
		return false
	}
	l.trial = true
	return true
}

// learnAlone takes note that the target's broker takes no batches, for all lanes of this process.
func (l *laneWorker) learnAlone() {
	if l.trial {
		l.trial = false
		l.shared.sendAlone(l.Target.Broker)
	}
}

// sendAlone makes all lanes send each message alone to a broker.
func (c *maintenance) sendAlone(broker string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	limit := c.limits[broker]
	limit.None = true
	c.limits[broker] = limit
}

// learnt says that the broker's answers have shown that it takes no batches; "" if that isn't so.
func (l *laneWorker) learnt() string {
	if !l.untold || !l.single || l.trial || replica.Alone(l.Topic) {
		return ""
	}
	return "broker " + l.Target.Broker + " takes no batches, as its answers show: messages are sent one by one"
}
