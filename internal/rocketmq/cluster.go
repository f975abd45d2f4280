package rocketmq

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"rocketshift/internal/rocketmq/remoting"
)

// brokersLife is how long a list of brokers is used. So a new master is known after that time; an
// error makes the list be read at once.
const brokersLife = 10 * time.Second

// Cluster is one side, found through its name servers.
type Cluster struct {
	client      *Client
	nameServers []string
	behind      *proxied // nil if brokers are reached without a proxy
	looks       looks
	part        Part

	saying sync.Mutex        // not mu, which the first reader holds while it asks
	said   map[string][]Node // what each name server said last

	mu      sync.Mutex
	brokers []Broker
	read    time.Time
	reading bool // a caller reads the list anew
}

// Broker is a master, or the slave that is read in its place.
type Broker struct {
	Cluster string
	Name    string
	Addr    string
	Version string // such as 4.9.7; empty when the broker does not say
	Slave   bool   // a slave that is read while no master is registered (Part.ReadSlaves); it takes no sends
}

// NewCluster returns the cluster of the name servers, without asking them yet.
func NewCluster(c *Client, nameServers []string) *Cluster {
	return &Cluster{client: c, nameServers: slices.Clone(nameServers), said: map[string][]Node{}}
}

// NewClusterOf returns a part of what the name servers know, without asking them yet.
func NewClusterOf(c *Client, nameServers []string, part Part) *Cluster {
	of := NewCluster(c, nameServers)
	of.part = part
	return of
}

// Client is the client that the cluster's calls go through.
func (c *Cluster) Client() *Client { return c.client }

// NameServers are the addresses that the cluster was made with: of its name servers, or of its
// proxy.
func (c *Cluster) NameServers() []string { return slices.Clone(c.nameServers) }

// Brokers lists the masters, sorted by name. The list is read anew after ten seconds, or after
// Forget; while no name server answers, the last list is returned. Only one caller reads it and
// waits for that. The others get the last list, since a frozen name server would otherwise hold up
// many calls.
func (c *Cluster) Brokers(ctx context.Context) ([]Broker, error) {
	if c.behind != nil {
		return c.brokersBehind(ctx)
	}
	c.mu.Lock()
	if c.brokers == nil {
		defer c.mu.Unlock()
		found, err := c.readBrokers(ctx, nil)
		if err == nil {
			c.brokers, c.read = found, time.Now()
		}
		return slices.Clone(found), err
	}
	last := c.brokers
	if c.reading || time.Since(c.read) < brokersLife {
		defer c.mu.Unlock()
		return slices.Clone(last), nil
	}
	c.reading = true
	c.mu.Unlock()
	found, err := c.readBrokers(ctx, last)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.reading = false
	if err != nil && remoting.CodeOf(err) < 0 {
		if ctx.Err() == nil {
			c.read = time.Now().Add(againSoon - brokersLife)
		}
		return slices.Clone(last), nil // brokers also serve while no name server does
	}
	if err != nil {
		return nil, err
	}
	c.brokers, c.read = found, time.Now()
	return slices.Clone(found), nil
}

// againSoon is how soon name servers that didn't answer are asked again.
const againSoon = time.Second

// graceOfOthers is how long a fresh list of brokers waits for the other name servers when one has
// answered. They answer within milliseconds, and one that hangs must not hide a broker's new
// address.
const graceOfOthers = time.Second

// Assume gives the masters, by name with their addresses, until name servers answer: those that
// they named before a restart. What name servers have already said counts more.
func (c *Cluster) Assume(addresses map[string]string) {
	if c.behind != nil {
		c.behind.assume(addresses)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.brokers != nil || len(addresses) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(addresses)) {
		c.brokers = append(c.brokers, Broker{Name: name, Addr: addresses[name]})
	}
}

// readBrokers asks the name servers, and asks brokers that aren't in the last list for their
// versions. A broker that doesn't tell its version is listed all the same, and asked again the next
// time: it may have just been started (4.9.7 then answers with a NoSuchElementException), or have
// gone.
func (c *Cluster) readBrokers(ctx context.Context, last []Broker) ([]Broker, error) {
	known := map[string]string{} // versions by address, so that they are asked once
	for _, b := range last {
		known[b.Addr] = b.Version
	}
	grace := time.Duration(0)
	if last != nil { // of a silent name server, its last answer counts
		grace = graceOfOthers
	}
	registry, err := c.ask(ctx, grace)
	if err != nil {
		return nil, err
	}
	found := []Broker{}
	for _, b := range registry.Brokers {
		if addr := cmp.Or(b.Master(), b.Slave); addr != "" {
			found = append(found, Broker{Cluster: b.Cluster, Name: b.Name, Addr: addr, Slave: b.Slave != ""})
		}
	}
	for i := range found {
		if found[i].Version = known[found[i].Addr]; found[i].Version != "" {
			continue
		}
		found[i].Version, err = c.client.brokerVersion(ctx, found[i].Addr)
		if err != nil && ctx.Err() != nil && last == nil {
			return nil, err // the caller doesn't wait for the others
		}
	}
	return found, nil
}

// Forget makes the next call read the list of brokers anew. Call it after an error that another
// master would explain.
func (c *Cluster) Forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.read = time.Time{}
}

// Broker finds a master by name. If it isn't registered now, the error is one that Retryable
// accepts, since the master may come back.
func (c *Cluster) Broker(ctx context.Context, name string) (Broker, error) {
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return Broker{}, err
	}
	for _, b := range brokers {
		if b.Name == name {
			return b, nil
		}
	}
	c.Forget()
	return Broker{}, &remoting.DialError{
		Server: "broker " + name,
		Err:    fmt.Errorf("no master of that name is registered at %s", strings.Join(c.nameServers, ", ")),
	}
}

// Route asks the name servers for a topic's route; a topic without one is an Error with code
// TopicNotExist.
func (c *Cluster) Route(ctx context.Context, topic string) (Route, error) {
	var route Route
	err := c.eachNameServer(func(addr string) error {
		var err error
		route, err = c.client.RouteOf(ctx, addr, topic)
		return err
	})
	if err == nil && c.behind != nil {
		c.behind.learn(route)
	}
	return route, err
}

// eachNameServer asks one after the other until one answers; a refusal is an answer.
func (c *Cluster) eachNameServer(ask func(addr string) error) error {
	if len(c.nameServers) == 0 {
		return errors.New("no name server is given")
	}
	var failed []error
	for _, addr := range c.nameServers {
		err := ask(addr)
		if err == nil || remoting.CodeOf(err) >= 0 {
			return err
		}
		failed = append(failed, fmt.Errorf("name server %w", err))
	}
	return errors.Join(failed...)
}

// Node is a broker, a master or a slave.
type Node struct {
	Cluster string
	Name    string
	ID      int64 // 0 is the master
	Addr    string
}

// Route is where a topic's queues are (TopicRouteData).
type Route struct {
	Queues  []RouteQueue
	Brokers []RouteBroker
	Order   string // orderTopicConf: producers choose among the queues that it names, whatever Queues are
}

// RouteQueue counts a broker's queues of the topic.
type RouteQueue struct {
	BrokerName        string
	Read, Write, Perm int
}

// RouteBroker holds a broker's addresses by its id; 0 is the master.
type RouteBroker struct {
	Name, Cluster string
	Addrs         map[int64]string
}

// RouteOf asks one name server for a topic's route.
func (c *Client) RouteOf(ctx context.Context, nameServer, topic string) (Route, error) {
	o, err := c.askObject(ctx, nameServer, &remoting.Command{Code: remoting.CodeRoute, Fields: map[string]string{
		"topic": topic, "acceptStandardJsonOnly": "true",
	}}, topic)
	if err != nil {
		return Route{}, err
	}
	r := Route{Order: o.Text("orderTopicConf")}
	for _, v := range o.List("queueDatas") {
		q, _ := v.(remoting.Object)
		r.Queues = append(r.Queues, RouteQueue{
			BrokerName: q.Text("brokerName"), Read: int(q.Number("readQueueNums")),
			Write: int(q.Number("writeQueueNums")), Perm: int(q.Number("perm")),
		})
	}
	for _, v := range o.List("brokerDatas") {
		b, _ := v.(remoting.Object)
		broker := RouteBroker{Name: b.Text("brokerName"), Cluster: b.Text("cluster"), Addrs: map[int64]string{}}
		for _, addr := range b.Object("brokerAddrs") {
			if id, ok := remoting.NumberOf(addr.Key); ok {
				broker.Addrs[id] = remoting.TextOf(addr.Value)
			}
		}
		r.Brokers = append(r.Brokers, broker)
	}
	return r, nil
}
