package replicatest

import (
	"context"
	"slices"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// Bounds implements replica.Side.
func (f *Side) Bounds(_ context.Context, topic string, q lane.Queue) (first, end int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	log := f.Log(topic, q)
	return log.First, log.show(f.Unshown), f.Down
}

// Pull implements replica.Side.
func (f *Side) Pull(
	ctx context.Context,
	group, topic string,
	q lane.Queue,
	offset int64,
	most int,
	wait time.Duration,
) (rocketmq.PullResult, error) {
	f.wait()
	deadline := time.After(wait)
	for {
		f.mu.Lock()
		result, err := f.pullNow(group, topic, q, offset, most)
		arrived := f.Log(topic, q).arrived
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

func (f *Side) pullNow(group, topic string, q lane.Queue, offset int64, most int) (rocketmq.PullResult, error) {
	f.Pulls++
	if f.Down != nil {
		return rocketmq.PullResult{}, f.Down
	}
	if f.OnPull != nil {
		if err := f.OnPull(offset); err != nil {
			return rocketmq.PullResult{}, err
		}
	}
	log := f.Log(topic, q)
	end := log.show(f.Unshown)
	result := rocketmq.PullResult{Min: log.First, Max: end, Next: offset}
	switch {
	case offset < log.First:
		f.Events++
		result.Status, result.Next = rocketmq.PullMovedOffset, log.First
	case offset > end:
		f.Events++
		result.Status, result.Next = rocketmq.PullMovedOffset, end
	case offset == end:
		result.Status = rocketmq.PullNoNew
	default:
		from := offset - log.First
		result.Messages = slices.Clone(log.Messages[from:min(from+int64(min(most, 32)), end-log.First)])
		result.Next = offset + int64(len(result.Messages))
		f.Pulled += len(result.Messages)
		result.Messages = slices.DeleteFunc(result.Messages,
			func(m remoting.Message) bool { return f.Hidden[m.QueueOffset] })
	}
	return result, nil
}

func (f *Side) wait() {
	f.mu.Lock()
	slow := f.Slow
	f.mu.Unlock()
	if slow != nil {
		slow()
	}
}

// Send implements replica.Side.
func (f *Side) Send(
	_ context.Context,
	broker string,
	batch rocketmq.BatchRequest,
	alone bool,
) (rocketmq.SendResult, error) {
	f.wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Down != nil {
		return rocketmq.SendResult{}, f.Down
	}
	f.takeUp()
	f.Sends++
	stored, err := true, error(nil)
	if f.OnSend != nil {
		stored, err = f.OnSend(f.Sends, batch)
	}
	if f.NoBatches && (!alone || len(batch.Messages) != 1) {
		stored, err = false, &remoting.Error{Code: remoting.MessageIllegal}
	}
	if alone { // an entry of its own stands for what the broker writes anew
		batch.Messages = slices.Clone(batch.Messages)
		for i, m := range batch.Messages {
			batch.Messages[i] = rocketmq.BatchMessage{
				Flag: m.Flag, Body: m.Body, Properties: remoting.Inert(m.StoredProperties()),
			}
		}
	}
	q := lane.Queue{Broker: broker, ID: batch.Queue}
	result := rocketmq.SendResult{Queue: batch.Queue, Offset: f.Log(batch.Topic, q).End()}
	if stored {
		f.Store(broker, batch)
	}
	return result, err
}

// Store appends a batch, as a broker that accepts it does. Callers hold the lock, as in Set.
func (f *Side) Store(broker string, batch rocketmq.BatchRequest) {
	for _, m := range batch.Messages {
		f.AppendLocked(batch.Topic, lane.Queue{Broker: broker, ID: batch.Queue}, remoting.Message{
			SysFlag: batch.SysFlag, BornTimestamp: batch.BornTimestamp, ReconsumeTimes: batch.ReconsumeTimes,
			Flag: m.Flag, Body: m.Body,
			Properties: remoting.AppendProperty(slices.Clip(m.StoredProperties()), remoting.PropCluster, f.cluster),
		})
	}
}

// takeUp stores what was late.
func (f *Side) takeUp() {
	late := f.Late
	f.Late = nil
	for _, batch := range late {
		f.Store("broker-x", batch)
	}
}

// PassSends implements replica.Side.
func (f *Side) PassSends(context.Context, string, string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Down != nil {
		return f.Down
	}
	if f.Slave {
		return ErrSlave
	}
	f.Passes++
	f.takeUp()
	return nil
}

// Takes implements replica.Side.
func (f *Side) Takes(context.Context, string) (replica.Batches, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	none := f.NoBatches && !f.Untold
	return replica.Batches{Bytes: f.Limit, None: none, Untold: f.Untold, Alone: none || f.Untold || f.Upgraded}, f.Down
}

// Runtime implements replica.Side.
func (f *Side) Runtime(context.Context, string) (map[string]string, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Says, f.Down
}

// Position implements replica.Side.
func (f *Side) Position(_ context.Context, group, topic string, q lane.Queue) (int64, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	offset, known := f.Log(topic, q).Positions[group]
	return offset, known, f.Down
}

// Commit implements replica.Side.
func (f *Side) Commit(_ context.Context, group, topic string, q lane.Queue, offset int64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.Down != nil {
		return f.Down
	}
	if !f.Groups[group] {
		return &remoting.Error{Server: q.Broker, Call: "UPDATE_CONSUMER_OFFSET", Code: remoting.SubscriptionGroupGone}
	}
	f.Log(topic, q).Positions[group] = offset
	return nil
}

// Lock implements replica.Side.
func (f *Side) Lock(
	_ context.Context,
	_, _, holder string,
	queues []rocketmq.MessageQueue,
) (held []rocketmq.MessageQueue, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, q := range queues {
		log := f.Log(q.Topic, lane.Queue{Broker: q.Broker, ID: q.Queue})
		if f.Down != nil || log.Holder != "" && log.Holder != holder && time.Since(log.LockedAt) < time.Minute {
			continue
		}
		log.Holder, log.LockedAt = holder, time.Now()
		held = append(held, q)
	}
	return held, f.Down
}

// Ends implements replica.Side.
func (f *Side) Ends(_ context.Context, broker, topic string) (map[int]int64, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ends := map[int]int64{}
	for at, log := range f.queues {
		if at.Topic == topic && at.Broker == broker && !f.Brief {
			ends[at.ID] = log.End()
		}
	}
	return ends, f.Down
}

// Unlock implements replica.Side.
func (f *Side) Unlock(_ context.Context, group, holder, topic string, q lane.Queue) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if log := f.Log(topic, q); log.Holder == holder {
		log.Holder = ""
	}
	return f.Down
}

// FromSlave implements replica.Side.
func (f *Side) FromSlave(context.Context, string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.Slave
}

// EnsureGroup implements replica.Side.
func (f *Side) EnsureGroup(_ context.Context, broker, group string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.Groups[group] = true
	return f.Down
}
