package replicator

import (
	"context"
	"slices"
	"time"

	"rocketshift/internal/rocketmq"
)

func (f *fakeSide) bounds(_ context.Context, topic string, q Queue) (first, end int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.log(topic, q)
	return log.first, log.show(f.unshown), f.down
}

func (f *fakeSide) pull(ctx context.Context, group, topic string, q Queue, offset int64, most int, wait time.Duration) (rocketmq.PullResult, error) {
	f.wait()
	deadline := time.After(wait)
	for {
		f.mu.Lock()
		result, err := f.pullNow(group, topic, q, offset, most)
		arrived := f.log(topic, q).arrived
		f.mu.Unlock()
		if err != nil || result.Status != rocketmq.PullNoNew || wait == 0 {
			return result, err
		}
		select {
		case <-arrived:
		case <-deadline:
			return result, nil
		case <-ctx.Done():
			return result, ctx.Err()
		}
	}
}

func (f *fakeSide) pullNow(group, topic string, q Queue, offset int64, most int) (rocketmq.PullResult, error) {
	f.pulls++
	if f.down != nil {
		return rocketmq.PullResult{}, f.down
	}
	if f.onPull != nil {
		if err := f.onPull(offset); err != nil {
			return rocketmq.PullResult{}, err
		}
	}
	log := f.log(topic, q)
	end := log.show(f.unshown)
	result := rocketmq.PullResult{Min: log.first, Max: end, Next: offset}
	switch {
	case offset < log.first:
		f.events++
		result.Status, result.Next = rocketmq.PullMovedOffset, log.first
	case offset > end:
		f.events++
		result.Status, result.Next = rocketmq.PullMovedOffset, end
	case offset == end:
		result.Status = rocketmq.PullNoNew
	default:
		from := offset - log.first
		result.Messages = slices.Clone(log.messages[from:min(from+int64(min(most, 32)), end-log.first)])
		result.Next = offset + int64(len(result.Messages))
		f.pulled += len(result.Messages)
		result.Messages = slices.DeleteFunc(result.Messages, func(m rocketmq.Message) bool { return f.hidden[m.QueueOffset] })
	}
	return result, nil
}

func (f *fakeSide) wait() {
	f.mu.Lock()
	slow := f.slow
	f.mu.Unlock()
	if slow != nil {
		slow()
	}
}

func (f *fakeSide) send(
	_ context.Context,
	broker string,
	batch rocketmq.BatchRequest,
	alone bool,
) (rocketmq.SendResult, error) {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return rocketmq.SendResult{}, f.down
	}
	f.takeUp()
	f.sends++
	stored, err := true, error(nil)
	if f.onSend != nil {
		stored, err = f.onSend(f.sends, batch)
	}
	if f.noBatches && (!alone || len(batch.Messages) != 1) {
		stored, err = false, &rocketmq.Error{Code: rocketmq.MessageIllegal}
	}
	if alone { // an entry of its own stands for what the broker writes anew
		batch.Messages = slices.Clone(batch.Messages)
		for i, m := range batch.Messages {
			batch.Messages[i] = rocketmq.BatchMessage{
				Flag: m.Flag, Body: m.Body, Properties: rocketmq.Inert(m.StoredProperties()),
			}
		}
	}
	q := Queue{broker, batch.Queue}
	result := rocketmq.SendResult{Queue: batch.Queue, Offset: f.log(batch.Topic, q).end()}
	if stored {
		f.store(broker, batch)
	}
	return result, err
}

func (f *fakeSide) store(broker string, batch rocketmq.BatchRequest) {
	for _, m := range batch.Messages {
		f.appendLocked(batch.Topic, Queue{broker, batch.Queue}, rocketmq.Message{
			SysFlag: batch.SysFlag, BornTimestamp: batch.BornTimestamp, ReconsumeTimes: batch.ReconsumeTimes,
			Flag: m.Flag, Body: m.Body, Properties: rocketmq.AppendProperty(slices.Clip(m.StoredProperties()), rocketmq.PropCluster, f.cluster),
		})
	}
}

// takeUp stores what was late.
func (f *fakeSide) takeUp() {
	late := f.late
	f.late = nil
	for _, batch := range late {
		f.store("broker-x", batch)
	}
}

func (f *fakeSide) passSends(context.Context, string, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return f.down
	}
	if f.slave {
		return errSlave
	}
	f.passes++
	f.takeUp()
	return nil
}

func (f *fakeSide) takes(context.Context, string) (batches, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	none := f.noBatches && !f.untold
	return batches{bytes: f.limit, none: none, untold: f.untold, alone: none || f.untold || f.upgraded}, f.down
}

func (f *fakeSide) runtime(context.Context, string) (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.says, f.down
}

func (f *fakeSide) position(_ context.Context, group, topic string, q Queue) (int64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	offset, known := f.log(topic, q).positions[group]
	return offset, known, f.down
}

func (f *fakeSide) commit(_ context.Context, group, topic string, q Queue, offset int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return f.down
	}
	if !f.groups[group] {
		return &rocketmq.Error{Server: q.Broker, Call: "UPDATE_CONSUMER_OFFSET", Code: rocketmq.SubscriptionGroupGone}
	}
	f.log(topic, q).positions[group] = offset
	return nil
}

func (f *fakeSide) lock(_ context.Context, _, _, holder string, queues []rocketmq.MessageQueue) (held []rocketmq.MessageQueue, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, q := range queues {
		log := f.log(q.Topic, Queue{q.Broker, q.Queue})
		if f.down != nil || log.holder != "" && log.holder != holder && time.Since(log.lockedAt) < time.Minute {
			continue
		}
		log.holder, log.lockedAt = holder, time.Now()
		held = append(held, q)
	}
	return held, f.down
}

func (f *fakeSide) ends(_ context.Context, broker, topic string) (map[int]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ends := map[int]int64{}
	for at, log := range f.queues {
		if at.topic == topic && at.Broker == broker && !f.brief {
			ends[at.ID] = log.end()
		}
	}
	return ends, f.down
}

func (f *fakeSide) unlock(_ context.Context, group, holder, topic string, q Queue) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if log := f.log(topic, q); log.holder == holder {
		log.holder = ""
	}
	return f.down
}

func (f *fakeSide) fromSlave(context.Context, string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.slave
}

func (f *fakeSide) ensureGroup(_ context.Context, broker, group string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.groups[group] = true
	return f.down
}
