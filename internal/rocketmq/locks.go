package rocketmq

import (
	"context"
	"encoding/json"

	"rocketshift/internal/rocketmq/remoting"
)

// MessageQueue names a queue in lock requests.
type MessageQueue = TopicQueue

type lockBody struct {
	Group    string      `json:"consumerGroup"`
	ClientID string      `json:"clientId"`
	Queues   []lockQueue `json:"mqSet"`
}

type lockQueue struct {
	Topic  string `json:"topic"`
	Broker string `json:"brokerName"`
	Queue  int    `json:"queueId"`
}

// LockQueues takes or renews the locks of a group's queues for one client id, and returns those
// that it holds now. A lock lapses 60 s after its last renewal. Locks don't prevent pulls or sends;
// holders rely on each other to respect them.
func (c *Client) LockQueues(
	ctx context.Context,
	addr, group, clientID string,
	queues []MessageQueue,
) ([]MessageQueue, error) {
	cmd, err := lockCommand(remoting.CodeLock, c.options.Renames.Group(group), clientID,
		c.options.Renames.queues(queues))
	if err != nil {
		return nil, err
	}
	o, err := c.askObject(ctx, addr, cmd, "group "+group)
	if err != nil {
		return nil, err
	}
	var held []MessageQueue
	for _, v := range o.List("lockOKMQSet") {
		q, _ := v.(remoting.Object)
		if locked, known := c.options.Renames.queueHere(q); known {
			held = append(held, locked)
		}
	}
	return held, nil
}

// UnlockQueues gives locks back; those of other clients are left alone.
func (c *Client) UnlockQueues(ctx context.Context, addr, group, clientID string, queues []MessageQueue) error {
	cmd, err := lockCommand(remoting.CodeUnlock, c.options.Renames.Group(group), clientID,
		c.options.Renames.queues(queues))
	if err != nil {
		return err
	}
	_, err = c.ask(ctx, addr, cmd, "group "+group)
	return err
}

func lockCommand(code int, group, clientID string, queues []MessageQueue) (*remoting.Command, error) {
	body := lockBody{Group: group, ClientID: clientID, Queues: []lockQueue{}}
	for _, q := range queues {
		body.Queues = append(body.Queues, lockQueue(q))
	}
	b, err := json.Marshal(body)
	return &remoting.Command{Code: code, Body: b}, err
}
