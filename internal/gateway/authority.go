package gateway

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// One side answers who the members of groups are, and who holds queues locked: the source, until the end phase, then the target. So members
// behind the gateway share queues with those that are connected to that side straight.

// authority is that side.
func (g *Gateway) authority() side { return side(g.judge.Load()) }

// authorityOf is the authority for one group: the source goes on for groups that weren't moved, as they are no part of the migration.
func (g *Gateway) authorityOf(name []byte) side {
	if g.authority() == source {
		return source
	}
	if one, known := g.groups.known(name); known && !one.readsOn(target) {
		return source
	}
	return target
}

// members asks the authority for a group's members.
func (s *session) members(f *wire.Frame) {
	brokers := s.greeted()
	if s.authorityOf(f.Get("consumerGroup")) == source || len(brokers) == 0 {
		s.pass(f)
		return
	}
	f.Replace("bname", brokers[0])
	s.forward(f, dest{target, brokers[0]}, call{})
}

// lockBody is what LOCK_BATCH_MQ and UNLOCK_BATCH_MQ carry (LockBatchRequestBody).
type lockBody struct {
	Group  string      `json:"consumerGroup"`
	Client string      `json:"clientId"`
	Queues []jsonQueue `json:"mqSet"`
}

// jsonQueue is a MessageQueue.
type jsonQueue struct {
	Topic  string `json:"topic"`
	Broker string `json:"brokerName"`
	ID     int    `json:"queueId"`
}

// lockTime bounds how long brokers may take to answer: clients wait for a second.
const lockTime = time.Second

// lock locks or unlocks queues with the authority, by the names that the target has for them.
func (s *session) lock(f *wire.Frame) {
	var body lockBody
	if s.authority() == source || json.Unmarshal(f.Body, &body) != nil || s.authorityOf([]byte(body.Group)) == source {
		s.pass(f)
		return
	}
	opaque, binary, oneWay, code := f.Opaque, f.Binary, f.OneWay(), f.Code
	s.running.Go(func() {
		ctx, cancel := context.WithTimeout(s.ctx, lockTime)
		defer cancel()
		locked, err := s.lockOnTarget(ctx, body, code == codeUnlock)
		switch {
		case oneWay:
		case err != nil:
			s.reply(opaque, binary, wire.Reply{Code: systemError, Remark: "rocketshift gateway: " + err.Error()})
		default:
			text, _ := json.Marshal(map[string][]jsonQueue{"lockOKMQSet": locked})
			s.reply(opaque, binary, wire.Reply{Code: success, Body: text})
		}
	})
}

// lockOnTarget asks every target broker for its part of the queues, and returns those that are locked, by the source's names.
func (g *Gateway) lockOnTarget(ctx context.Context, body lockBody, unlock bool) ([]jsonQueue, error) {
	l, err := g.lanes()
	if err != nil {
		return nil, err
	}
	parts := map[string][]rocketmq.MessageQueue{}
	names := map[rocketmq.MessageQueue]jsonQueue{}
	for _, one := range body.Queues {
		t := g.topics.get([]byte(one.Topic))
		if t == nil {
			return nil, fmt.Errorf("topic %s isn't on the source", one.Topic)
		}
		q := t.queue([]byte(one.Broker), int64(one.ID))
		if q == nil || q.lane.Load() == nil {
			return nil, fmt.Errorf("queue %s of topic %s has no lane to the target", replicator.Queue{Broker: one.Broker, ID: one.ID}, one.Topic)
		}
		there := q.lane.Load().Target
		mq := rocketmq.MessageQueue{Topic: one.Topic, Broker: there.Broker, Queue: there.ID}
		parts[there.Broker], names[mq] = append(parts[there.Broker], mq), one
	}
	locked := []jsonQueue{}
	for _, name := range sortedKeys(parts) {
		broker, err := l.target.Broker(ctx, name)
		if err != nil {
			return nil, err
		}
		if unlock {
			if err := l.target.Client().UnlockQueues(ctx, broker.Addr, body.Group, body.Client, parts[name]); err != nil {
				return nil, err
			}
			continue
		}
		held, err := l.target.Client().LockQueues(ctx, broker.Addr, body.Group, body.Client, parts[name])
		if err != nil {
			return nil, err
		}
		for _, mq := range held {
			locked = append(locked, names[mq])
		}
	}
	return locked, nil
}
