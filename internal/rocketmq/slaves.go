package rocketmq

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"rocketshift/internal/rocketmq/remoting"
)

// standIn picks the slave that is read in place of a missing master: that with the lowest id.
func (r *Registered) standIn(readSlaves []string) {
	if r.Master() != "" || !slices.Contains(readSlaves, r.Name) {
		return
	}
	if ids := slices.Sorted(maps.Keys(r.Addrs)); len(ids) > 0 {
		r.Slave = r.Addrs[ids[0]][0]
	}
}

// Gaps are those of what name servers said, and slaves that must be read but serve no pulls:
// without slaveReadEnable a slave sends every reader to its master (PullMessageProcessor, 4.5.2 to
// 4.9.7). A slave that doesn't tell its setting shows it by its pulls.
func (c *Cluster) Gaps(ctx context.Context, r Registry) (all []Gap, err error) {
	all = r.Gaps()
	for _, b := range r.Brokers {
		if b.Slave == "" {
			continue
		}
		config, err := c.client.BrokerConfig(ctx, b.Slave)
		if err != nil && remoting.CodeOf(err) < 0 {
			return all, err
		}
		if serves, told := config["slaveReadEnable"]; told && serves != "true" {
			all = append(all, Gap{Kind: GapMute, Broker: b.Name, Server: b.Slave, Text: fmt.Sprintf(
				"broker %s has no master, and its slave %s serves no pulls (slaveReadEnable=%s)", b.Name,
				b.Slave, serves,
			)})
		}
	}
	return all, nil
}

// Slaves get messages at once, and the settings of topics every ten seconds (SlaveSynchronize,
// 4.5.2 to 5.3.3). So a slave whose master is gone may hold messages of a topic that it doesn't
// know, and readers of its topics don't see them. Name servers still know the topic from the
// master.

// FromSlaves are the names of the brokers that are read from a slave.
func FromSlaves(brokers []Broker) (names []string) {
	for _, b := range brokers {
		if b.Slave {
			names = append(names, b.Name)
		}
	}
	return names
}

// Lacking is a topic of which a slave, which is read in place of its master, knows fewer queues
// than name servers.
type Lacking struct {
	Slave         Broker
	Topic         string
	Queues, Known int // as name servers know it, and as the slave does
}

func (l Lacking) String() string {
	return fmt.Sprintf("the slave of broker %s knows %d of its %d queues: slaves take topics over every ten seconds, "+
		"and its master went before", l.Slave.Name, l.Known, l.Queues)
}

// Mend says what a person can do about it.
func (l Lacking) Mend() string {
	return fmt.Sprintf(
		"start the master; if it is lost, make a master of the slave (brokerRole=ASYNC_MASTER, brokerId=0), as slaves "+
			"take no topics, and then the topic as it was: mqadmin updateTopic -b %s -t '%s' -r %d -w %d",
		l.Slave.Addr, l.Topic, l.Queues, l.Queues)
}

// LackingOn finds what slaves among the brokers lack of a topic. Has are its settings by broker.
func LackingOn(route Route, brokers []Broker, topic string, has map[string]TopicConfig) (all []Lacking) {
	for _, b := range brokers {
		at := slices.IndexFunc(route.Queues, func(q RouteQueue) bool { return q.BrokerName == b.Name })
		if !b.Slave || at < 0 {
			continue
		}
		shown := TopicConfig{ReadQueues: route.Queues[at].Read, WriteQueues: route.Queues[at].Write}
		if known := has[b.Name].Queues(); known < shown.Queues() {
			all = append(all, Lacking{b, topic, shown.Queues(), known})
		}
	}
	return all
}

// TopicNames are the topics that any of the name servers knows, RocketMQ's own among them.
func (c *Cluster) TopicNames(ctx context.Context) (names []string, err error) {
	for _, addr := range c.nameServers {
		o, err := c.client.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeTopicNames}, "")
		if err != nil {
			return nil, err
		}
		for _, v := range o.List("topicList") {
			if topic, known := c.client.options.Renames.topicHere(remoting.TextOf(v)); known {
				names = append(names, topic)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}
