package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// One side answers who the members of groups are, and who holds queues locked: the source, until
// the end phase, then the target. So members behind the gateway share queues with those that are
// connected to that side straight.

// members asks the authority for a group's members.
func (s *session) members(f *wire.Frame) {
	brokers := s.gateway.sides.Greeted()
	if s.gateway.table.AuthorityOf(f.Text("consumerGroup")) == routing.Source || len(brokers) == 0 {
		s.pass(f)
		return
	}
	f.Replace("bname", brokers[0])
	s.forward(f, routing.Dest{Side: routing.Target, Broker: brokers[0]}, call{})
}

// lockTime bounds how long brokers may take to answer: clients wait for a second.
const lockTime = time.Second

// mostLocking is how many requests for locks of one connection are under way. Stock clients ask for
// one group at a time.
const mostLocking = 8

// lock locks or unlocks queues with the authority, by the names that the target has for them, in
// the client's own name.
func (s *session) lock(f *wire.Frame) {
	if s.gateway.table.Settled() == routing.Source { // it is of all groups
		s.pass(f)
		return
	}
	var body bodies.LockBody
	var err error
	cost, ok := s.readBody(f, func() { body, err = bodies.ParseLock(f.Body) }) // as it was understood before
	if !ok {
		return
	}
	if err != nil || s.gateway.table.AuthorityOf([]byte(body.Group)) == routing.Source {
		s.memory.Give(cost)
		s.pass(f)
		return
	}
	if !s.mayGo(f, routing.Target, true) {
		s.memory.Give(cost)
		return
	}
	s.flush()
	s.locking <- struct{}{} // each ends within lockTime
	opaque, binary, oneWay := f.Opaque, f.Binary, f.OneWay()
	as := asker{session: s, accessKey: f.Unescaped(wire.FieldAccessKey), code: f.Code}
	s.inBackground(func() {
		defer func() {
			<-s.locking
			s.memory.Give(cost)
		}()
		ctx, cancel := context.WithTimeout(s.gateway.ctx, lockTime)
		defer cancel()
		locked, err := as.lockOnTarget(ctx, body)
		var no *brokersAnswer
		switch {
		case oneWay:
		case errors.As(err, &no): // a broker's refusal is the client's to see
			s.reply(opaque, binary, wire.Reply{Code: no.code, Remark: no.remark})
		case err != nil:
			s.reply(opaque, binary,
				wire.Reply{Code: remoting.SystemError, Remark: "rocketshift gateway: " + err.Error()})
		default:
			text, _ := json.Marshal(bodies.Locks{Queues: locked})
			s.reply(opaque, binary, wire.Reply{Code: remoting.Success, Body: text})
		}
	})
}

// lockOnTarget asks every target broker for its part of the queues, and returns those that are
// locked, by the source's names.
func (a asker) lockOnTarget(ctx context.Context, body bodies.LockBody) ([]bodies.JsonQueue, error) {
	parts, names, behind, err := a.session.gateway.table.OnTarget(body.Queues)
	if err != nil {
		return nil, err
	}
	locked := []bodies.JsonQueue{}
	if len(behind) > 0 {
		held, err := a.lock(ctx, a.session.port.Dest,
			bodies.LockBody{Group: body.Group, Client: body.Client, Queues: behind})
		if err != nil {
			return nil, err
		}
		locked = append(locked, held...)
	}
	for _, broker := range routing.SortedKeys(parts) {
		held, err := a.lock(ctx, routing.Dest{Side: routing.Target, Broker: broker},
			bodies.LockBody{Group: body.Group, Client: body.Client, Queues: parts[broker]})
		if err != nil {
			return nil, err
		}
		for _, mq := range held {
			if here, asked := names[mq]; asked {
				locked = append(locked, here)
			}
		}
	}
	return locked, nil
}

// lock asks one broker, and returns what it has locked.
func (a asker) lock(ctx context.Context, at routing.Dest, body bodies.LockBody) ([]bodies.JsonQueue, error) {
	text, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	got, err := a.ask(ctx, at, text)
	if err != nil || a.code == remoting.CodeUnlock {
		return nil, err
	}
	held, err := bodies.ParseLocks(got)
	if err != nil {
		return nil, fmt.Errorf("%s broker %s: what it has locked can't be read: %w", at.Side, at.Broker, err)
	}
	return held.Queues, nil
}
