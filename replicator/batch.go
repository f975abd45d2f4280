package replicator

import (
	"time"

	"rocketshift/internal/rocketmq"
)

// bornWithin is how far the born time of a copy may be from its original's while the lane is behind. The exact one is in the stamp.
const bornWithin = time.Second

// cut takes the first messages that may share a batch: brokers store system flags, born time and reconsume count once per batch.
// Where exact is set, born times are the same for all of them. taken counts those that aren't to be copied too, newest is the offset
// of the last one that is.
func (l *runner) cut(messages []placed, exact bool) (batch rocketmq.BatchRequest, taken int, newest int64, err error) {
	batch = rocketmq.BatchRequest{Group: l.options.Group, Topic: l.Topic, Queue: l.Target.ID, Messages: l.batch[:0]} // that one has landed
	within := bornWithin.Milliseconds()
	if exact || l.options.ExactBorn {
		within = 0
	}
	size := 0
	arena := l.stamps[:0]
	most := min(l.options.BatchMessages, l.pacer.most(l.Topic))
	if messages[0].position < l.narrow || l.single {
		most = 1
	}
	for _, m := range messages[:min(len(messages), most)] {
		if m.skip {
			taken++
			continue
		}
		empty := len(batch.Messages) == 0
		if empty {
			batch.SysFlag, batch.BornTimestamp, batch.ReconsumeTimes = m.SysFlag&rocketmq.FlagsOfContent, m.BornTimestamp, m.ReconsumeTimes
		}
		late := m.BornTimestamp - batch.BornTimestamp
		if m.SysFlag&rocketmq.FlagsOfContent != batch.SysFlag || late > within || -late > within || m.ReconsumeTimes != batch.ReconsumeTimes {
			break
		}
		copied := rocketmq.BatchMessage{Flag: m.Flag, Body: m.Body}
		arena, copied.Properties, copied.Added = l.properties(arena, m.Properties, m.position, trueBorn(m, late), m.via)
		if long := copied.PropertiesSize(); long > rocketmq.MaxProperties {
			if taken > 0 {
				break // those before it are copied first
			}
			return batch, 0, 0, l.propertiesTooLong(m.position, long)
		}
		size += copied.Size()
		if size > l.batchBytes && !empty {
			break
		}
		batch.Messages = append(batch.Messages, copied)
		newest = m.position
		taken++
	}
	l.batch, l.stamps = batch.Messages, arena
	return batch, taken, newest, nil
}

// trueBorn is what the stamp says of the born time: nothing where the copy has the right one.
func trueBorn(m placed, late int64) int64 {
	if m.via != "" { // the message may itself be a copy with another one
		if born := bornOf(m.Message); born != m.BornTimestamp {
			return born
		}
	}
	if late == 0 {
		return 0
	}
	return m.BornTimestamp
}
