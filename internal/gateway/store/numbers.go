package store

import (
	"fmt"

	"rocketshift/internal/gateway/routing"
	"rocketshift/replicator/lane"
)

// Queues that a state, a round or another gateway names are made here if they aren't known yet, up
// to their numbers. So numbers are looked at before anything else is done.

// isNumber refuses the number of a queue that no topic has.
func isNumber(topic, broker string, id int) error {
	if id < 0 || id >= routing.MostOfTopic {
		return fmt.Errorf("queue %s of topic %s: numbers from 0 to %d are possible",
			lane.Queue{Broker: broker, ID: id}, topic, routing.MostOfTopic-1)
	}
	return nil
}

// Numbers refuses queues that nobody could have.
func (r Round) Numbers() error {
	for _, q := range r.Queues {
		if err := isNumber(q.Topic, q.Broker, q.ID); err != nil {
			return err
		}
	}
	return nil
}

// Numbers refuses queues that nobody could have.
func (o *Outcome) Numbers() error {
	for _, h := range o.Homes {
		if err := isNumber(h.Topic, h.Broker, h.Queue); err != nil {
			return err
		}
	}
	for _, v := range o.Views {
		if err := isNumber(v.Topic, v.Broker, v.Queue); err != nil {
			return err
		}
	}
	for _, l := range o.Lanes {
		for _, q := range []lane.Queue{l.Source, l.Target} {
			if err := isNumber(l.Topic, q.Broker, q.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// Numbers refuses queues that nobody could have.
func (p Prepared) Numbers() error {
	for _, q := range p.Queues {
		if err := isNumber(q.Topic, q.Broker, q.ID); err != nil {
			return err
		}
	}
	for _, v := range p.Views {
		if err := isNumber(v.Topic, v.Broker, v.ID); err != nil {
			return err
		}
	}
	return nil
}

// Numbers refuses queues that nobody could have.
func (s State) Numbers() error {
	all := Outcome{Homes: s.Homes, Views: s.Views, Lanes: s.Lanes}
	if err := all.Numbers(); err != nil || s.Open == nil {
		return err
	}
	if err := s.Open.Round.Numbers(); err != nil {
		return err
	}
	return s.Open.Outcome.Numbers()
}
