package gateway

import (
	"context"
	"fmt"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
)

// When the target becomes the authority, what members hold locked on the source is locked for them
// there too, by the gateway's own account: clients ask for it anew only every 20 s, and who asks
// first would get it. No request tells who holds a lock, and members say of themselves whatever
// they like. So of what one says count the queues that its group reads, as brokers have let it, and
// of those the ones for which the source's broker gives the member the lock again, which it does to
// nobody while another one has it.

// carryLocks locks queues for a member on the target, as far as it holds them locked on the source.
func (l lanes) carryLocks(ctx context.Context, group, member string, queues []*routing.Queue) error {
	held, err := l.lockAll(ctx, routing.Source, group, member, queues)
	if err != nil {
		return err
	}
	_, err = l.lockAll(ctx, routing.Target, group, member, held)
	return err
}

// lockAll asks the brokers of a side for the locks of queues, and returns those that the member has
// now.
func (l lanes) lockAll(
	ctx context.Context, on routing.Side, group, member string, queues []*routing.Queue,
) (held []*routing.Queue, err error) {
	byBroker, of := map[string][]rocketmq.MessageQueue{}, map[rocketmq.MessageQueue]*routing.Queue{}
	for _, q := range queues {
		is, err := q.On(on)
		if err != nil {
			return nil, err
		}
		mq := rocketmq.MessageQueue{Topic: q.Topic, Broker: is.Broker, Queue: is.ID}
		if of[mq] == nil {
			byBroker[mq.Broker] = append(byBroker[mq.Broker], mq)
		}
		of[mq] = q
	}
	for _, name := range routing.SortedKeys(byBroker) {
		broker, err := l.clusters[on].Broker(ctx, name)
		if err != nil {
			return nil, err
		}
		c := l.clusters[on].Client()
		locked, err := c.LockQueues(ctx, broker.Addr, group, member, byBroker[name])
		if err != nil {
			return nil, fmt.Errorf("%s broker %s: %w", on, name, err)
		}
		for _, mq := range locked {
			if q := of[mq]; q != nil {
				held = append(held, q)
			}
		}
	}
	return held, nil
}
