package replica

import (
	"context"
	"fmt"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/sleep"
	"rocketshift/replicator/lane"
)

// Side is one cluster as lanes use it: queues to read and append to, positions, locks.
type Side interface {
	// Bounds returns the offsets [first, end) that the queue holds.
	Bounds(ctx context.Context, topic string, q lane.Queue) (first, end int64, err error)
	Pull(
		ctx context.Context,
		group, topic string,
		q lane.Queue,
		offset int64,
		most int,
		wait time.Duration,
	) (rocketmq.PullResult, error)
	// Send stores a batch; one message that is sent alone is inert (rocketmq.Inert).
	Send(ctx context.Context, broker string, batch rocketmq.BatchRequest, alone bool) (rocketmq.SendResult, error)
	Position(ctx context.Context, group, topic string, q lane.Queue) (int64, bool, error)
	Commit(ctx context.Context, group, topic string, q lane.Queue, offset int64) error
	// Lock takes or renews the locks of a broker's queues, and returns those that are held now.
	Lock(
		ctx context.Context,
		broker, group, holder string,
		queues []rocketmq.MessageQueue,
	) ([]rocketmq.MessageQueue, error)
	Unlock(ctx context.Context, group, holder, topic string, q lane.Queue) error
	// Ends returns where the queues of a topic on a broker end. Queues that producers don't see may
	// be missing.
	Ends(ctx context.Context, broker, topic string) (map[int]int64, error)
	// PassSends returns when the broker has taken up every send that it received before.
	PassSends(ctx context.Context, broker, group string) error
	// Takes says which batches the broker takes.
	Takes(ctx context.Context, broker string) (Batches, error)
	// Runtime is the broker's runtime statistics.
	Runtime(ctx context.Context, broker string) (map[string]string, error)
	// FromSlave reports whether the broker has no master, and a slave is read.
	FromSlave(ctx context.Context, broker string) bool
	// EnsureGroup creates the group on the broker where it is missing.
	EnsureGroup(ctx context.Context, broker, group string) error
}

// Brokers is a side on a real cluster.
type Brokers struct {
	*rocketmq.Cluster
	side   lane.Side // for messages
	groups *groupsMade
	Taken  sync.Map // batches by broker
}

// NewBrokers is a side on a real cluster. Its name appears in messages.
func NewBrokers(side lane.Side, cluster *rocketmq.Cluster) *Brokers {
	return &Brokers{Cluster: cluster, side: side, groups: newGroupsMade()}
}

// SideError says on which side of a lane a call failed.
type SideError struct {
	Side   lane.Side // of the lanes that aren't reversed
	Broker string
	Err    error
}

func (e *SideError) Error() string {
	return string(e.Side) + " broker " + e.Broker + ": " + e.Err.Error()
}

// Unwrap returns what the call failed with.
func (e *SideError) Unwrap() error { return e.Err }

// at finds the broker's address, calls, and names side and broker in the error.
func at[T any](ctx context.Context, b *Brokers, broker string, call func(addr string) (T, error)) (T, error) {
	found, err := b.Broker(ctx, broker)
	if err != nil {
		var none T
		return none, &SideError{b.side, broker, err}
	}
	result, err := call(found.Addr)
	if remoting.CodeOf(err) == remoting.SubscriptionGroupGone {
		b.groups.forget(broker)
	}
	if err != nil {
		return result, &SideError{b.side, broker, err}
	}
	return result, nil
}

// done is the result of calls that only succeed or fail.
type done struct{}

// Bounds implements Side.
func (b *Brokers) Bounds(ctx context.Context, topic string, q lane.Queue) (first, end int64, err error) {
	// The first offset is read before the end: in the other order, a queue that is emptied in
	// between could seem to begin after its end.
	first, err = at(ctx, b, q.Broker,
		func(addr string) (int64, error) { return b.Client().MinOffset(ctx, addr, topic, q.ID) })
	if err != nil {
		return 0, 0, err
	}
	end, err = at(ctx, b, q.Broker,
		func(addr string) (int64, error) { return b.Client().MaxOffset(ctx, addr, topic, q.ID) })
	return max(first, 0), max(end, 0), err
}

// Pull implements Side.
func (b *Brokers) Pull(
	ctx context.Context,
	group, topic string,
	q lane.Queue,
	offset int64,
	most int,
	wait time.Duration,
) (rocketmq.PullResult, error) {
	request := rocketmq.PullRequest{Group: group, Topic: topic, Queue: q.ID, Offset: offset, Max: most, Wait: wait}
	result, err := at(ctx, b, q.Broker, func(addr string) (rocketmq.PullResult, error) {
		if b.Proxy() != "" {
			return b.pullAgain(ctx, addr, request)
		}
		return b.Client().Pull(ctx, addr, request)
	})
	if err == nil && result.Max < offset && b.FromSlave(ctx, q.Broker) {
		return result, SlaveBehind(b.side, q.Broker, result.Max, offset)
	}
	return result, err
}

// FromSlave implements Side.
func (b *Brokers) FromSlave(ctx context.Context, broker string) bool {
	found, err := b.Broker(ctx, broker)
	return err == nil && found.Slave
}

// SlaveBehind says that a slave doesn't have yet what was read from its master before. The lane
// waits for it, as for a broker that doesn't serve.
func SlaveBehind(side lane.Side, broker string, end, offset int64) error {
	return &SideError{side, broker, &remoting.Error{
		Server: "its slave", Call: "pull", Code: remoting.ServiceNotAvailable,
		Remark: fmt.Sprintf("it ends at %d, before the lane's position %d: its master had more, start that",
			end, offset),
	}}
}

// Pauses between two pulls at the end of a queue that is reached through a proxy.
const (
	shortestPause = 5 * time.Millisecond
	longestPause  = 200 * time.Millisecond
)

// pullAgain waits for a message by repeated pulls. A proxy that holds a pull answers seconds after
// the message has come (5.3.3).
func (b *Brokers) pullAgain(
	ctx context.Context,
	addr string,
	request rocketmq.PullRequest,
) (rocketmq.PullResult, error) {
	until := time.Now().Add(request.Wait)
	request.Wait = 0
	for pause := shortestPause; ; pause = min(2*pause, longestPause) {
		result, err := b.Client().Pull(ctx, addr, request)
		if err != nil || result.Max != request.Offset || time.Now().Add(pause).After(until) {
			return result, err
		}
		if err := sleep.For(ctx, pause); err != nil {
			return result, err
		}
	}
}

// Send implements Side.
func (b *Brokers) Send(
	ctx context.Context, broker string, batch rocketmq.BatchRequest, alone bool,
) (rocketmq.SendResult, error) {
	send := b.Client().SendBatch
	if alone {
		send = b.Client().SendAlone
	}
	return at(ctx, b, broker, func(addr string) (rocketmq.SendResult, error) { return send(ctx, addr, batch) })
}

// Runtime implements Side.
func (b *Brokers) Runtime(ctx context.Context, broker string) (map[string]string, error) {
	return at(ctx, b, broker, func(addr string) (map[string]string, error) { return b.RuntimeAt(ctx, addr) })
}

// Position implements Side.
func (b *Brokers) Position(ctx context.Context, group, topic string, q lane.Queue) (int64, bool, error) {
	known := false
	offset, err := at(ctx, b, q.Broker, func(addr string) (offset int64, err error) {
		offset, known, err = b.Client().QueryOffset(ctx, addr, group, topic, q.ID)
		return offset, err
	})
	return offset, known, err
}

// Commit implements Side.
func (b *Brokers) Commit(ctx context.Context, group, topic string, q lane.Queue, offset int64) error {
	_, err := at(ctx, b, q.Broker, func(addr string) (done, error) {
		return done{}, b.Client().UpdateOffset(ctx, addr, group, topic, q.ID, offset)
	})
	return err
}

// Lock implements Side.
func (b *Brokers) Lock(
	ctx context.Context,
	broker, group, holder string,
	queues []rocketmq.MessageQueue,
) ([]rocketmq.MessageQueue, error) {
	return at(ctx, b, broker, func(addr string) ([]rocketmq.MessageQueue, error) {
		return b.Client().LockQueues(ctx, addr, group, holder, queues)
	})
}

// Ends implements Side.
func (b *Brokers) Ends(ctx context.Context, broker, topic string) (map[int]int64, error) {
	if b.Proxy() != "" {
		return b.endsBehind(ctx, broker, topic)
	}
	ranges, err := at(ctx, b, broker,
		func(addr string) (map[int]rocketmq.QueueRange, error) { return b.Client().TopicStats(ctx, addr, topic) })
	ends := map[int]int64{}
	for id, r := range ranges {
		ends[id] = r.Max
	}
	return ends, err
}

// endsBehind asks queue by queue: proxies don't list the ends of all.
func (b *Brokers) endsBehind(ctx context.Context, broker, topic string) (map[int]int64, error) {
	topics, err := b.TopicConfigs(ctx, []string{topic})
	if err != nil {
		return nil, &SideError{b.side, broker, err}
	}
	ends := map[int]int64{}
	for id := range topics[broker][topic].Queues() {
		if _, ends[id], err = b.Bounds(ctx, topic, lane.Queue{Broker: broker, ID: id}); err != nil {
			return nil, err
		}
	}
	return ends, nil
}

// Unlock implements Side.
func (b *Brokers) Unlock(ctx context.Context, group, holder, topic string, q lane.Queue) error {
	_, err := at(ctx, b, q.Broker, func(addr string) (done, error) {
		return done{}, b.Client().
			UnlockQueues(ctx, addr, group, holder, []rocketmq.MessageQueue{{Topic: topic, Broker: q.Broker, Queue: q.ID}})
	})
	return err
}

// Every broker has the topic PassTopic, and no topic has the queue passQueue.
const (
	PassTopic = "SELF_TEST_TOPIC"
	passQueue = 1 << 30
)

// PassSends sends a message that the broker refuses. A broker takes up sends in the order in which
// it received them, whatever their topic, and may let them wait for long
// (waitTimeMillsInSendQueue). So the refusal shows that no send before it waits any more.
func (b *Brokers) PassSends(ctx context.Context, broker, group string) error {
	_, err := b.Send(ctx, broker, rocketmq.BatchRequest{
		Group: group, Topic: PassTopic, Queue: passQueue, BornTimestamp: time.Now().UnixMilli(),
		Messages: []rocketmq.BatchMessage{{}},
	}, false)
	if remoting.CodeOf(err) < 0 || remoting.Retryable(err) {
		return err
	}
	return nil
}
