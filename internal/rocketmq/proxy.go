package rocketmq

import (
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

// Brokers that can't be reached are called through the remoting port of a 5.x proxy, which managed
// instances have. The address of such a broker is that of the proxy, followed by the broker's name:
// "host:port/broker-a". Each request to it is dialled to the proxy, and names the broker. So code
// that has a broker's address need not know about proxies.
//
// A proxy answers what it doesn't serve with code 3 (RemotingProtocolServer, 5.3.3): it has no
// lists of topics, groups or positions, creates nothing, and knows no settings.

// behindProxy is the address of a broker that is called through a proxy.
func behindProxy(proxy, broker string) string { return proxy + "/" + broker }

// viaProxy takes such an address apart; broker is empty where addr is a server's own.
func viaProxy(addr string) (server, broker string) {
	server, broker, _ = strings.Cut(addr, "/")
	return server, broker
}

// ServerOf is the address that is dialled: that of the proxy for a broker that is called through
// one.
func ServerOf(addr string) string {
	server, _ := viaProxy(addr)
	return server
}

// BrokerNameField is the field in which a request names its broker; proxies answer 15 without it
// (AbstractRemotingActivity, 5.3.3).
func BrokerNameField(code int) string {
	if code == remoting.CodeSendV2 || code == remoting.CodeSendBatch {
		return "n"
	}
	return "bname"
}

// nameBroker names the broker in a request that goes through a proxy.
func (c *Client) nameBroker(cmd *remoting.Command, broker string) {
	cmd.Fields[BrokerNameField(cmd.Code)] = broker
	if cmd.Code == remoting.CodeSendV2 || cmd.Code == remoting.CodeSendBatch {
		if _, refused := c.untyped.Load(cmd.Fields["b"]); refused {
			cmd.Fields["i"] = string(WithTransferFlag([]byte(cmd.Fields["i"])))
		}
	}
}

// WithTransferFlag adds the property with which a proxy takes a send, whatever the topic's message
// type is (SendMessageActivity, 5.3.3). Messages of 4.x may fit no type: orderly producers of 4.x
// send no sharding key. 5.3.3 stores the flag with the message.
func WithTransferFlag(properties []byte) []byte {
	if _, there := remoting.PropertyValue(properties, remoting.PropTransferFlag); there {
		return properties
	}
	return remoting.AppendProperty(slices.Clip(properties), remoting.PropTransferFlag, "true")
}

// refusedForType reports whether a proxy refused a send because the message isn't of the topic's
// type, which brokers never do. Further sends to the topic then carry the flag with which they are
// taken.
func (c *Client) refusedForType(broker string, cmd, got *remoting.Command) bool {
	if broker == "" || got.Code != remoting.MessageIllegal || !strings.Contains(got.Remark, "TopicMessageType") {
		return false
	}
	c.untyped.Store(cmd.Fields["b"], true)
	_, carried := remoting.PropertyValue([]byte(cmd.Fields["i"]), remoting.PropTransferFlag)
	return !carried // else another call has learned it while this one was under way
}

// lostBehind is the error if a proxy answers that it got no answer from the broker. The code is the
// same as for any other failure, so only the words tell (NettyRemotingAbstract and MQClientAPIExt,
// 5.3.3).
func lostBehind(addr, broker string, cmd, got *remoting.Command) error {
	if broker == "" || got.Code != remoting.SystemError {
		return nil
	}
	remark := strings.ToLower(got.Remark)
	for _, words := range []string{"connect to", "connect failed"} {
		if strings.Contains(remark, words) {
			return &remoting.DialError{Server: addr, Err: errors.New(remoting.FirstLine(got.Remark))}
		}
	}
	for _, words := range []string{"timeout", "timed out", "wait response", "send request", "channel", "connection"} {
		if strings.Contains(remark, words) {
			return &remoting.LostError{
				Server: addr,
				Call:   remoting.RequestName(cmd.Code),
				Err:    errors.New(remoting.FirstLine(got.Remark)),
			}
		}
	}
	return nil
}

// proxied is what a cluster knows of the brokers of its proxy, by the routes of topics.
type proxied struct {
	addr string

	mu      sync.Mutex
	brokers map[string]Broker
}

// NewClusterBehind returns the cluster that is called through the remoting port of a 5.x proxy,
// host:port, without asking it yet. Its brokers are those that routes of topics name.
func NewClusterBehind(c *Client, proxy string) *Cluster {
	return &Cluster{
		client:      c,
		nameServers: []string{proxy},
		behind:      &proxied{addr: proxy, brokers: map[string]Broker{}},
	}
}

// Proxy is the address of the proxy through which the cluster is called; empty without one.
func (c *Cluster) Proxy() string {
	if c.behind == nil {
		return ""
	}
	return c.behind.addr
}

// learn takes over the brokers of a route.
func (p *proxied) learn(r Route) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range r.Brokers {
		p.brokers[b.Name] = Broker{Cluster: b.Cluster, Name: b.Name, Addr: behindProxy(p.addr, b.Name)}
	}
}

// assume gives the brokers of the proxy until routes name them.
func (p *proxied) assume(addresses map[string]string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name := range addresses {
		if _, known := p.brokers[name]; !known {
			p.brokers[name] = Broker{Name: name, Addr: behindProxy(p.addr, name)}
		}
	}
}

func (p *proxied) known() []Broker {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := []Broker{}
	for _, name := range slices.Sorted(maps.Keys(p.brokers)) {
		all = append(all, p.brokers[name])
	}
	return all
}

// everywhere are topics that each broker has and registers by itself (TopicConfigManager, 4.9.7 to
// 5.5.0).
var everywhere = []string{"SELF_TEST_TOPIC", "OFFSET_MOVED_EVENT", "BenchmarkTest"}

// readBehind finds the brokers of the proxy, by the route of a topic that each of them has. If the
// proxy shows none of these topics, the brokers are those that routes of other topics have named.
func (c *Cluster) readBehind(ctx context.Context) ([]Broker, error) {
	var failed error
	for _, topic := range everywhere {
		_, err := c.Route(ctx, topic)
		if err == nil {
			break
		}
		if failed = err; remoting.CodeOf(err) < 0 {
			break
		}
	}
	found := c.behind.known()
	if failed != nil && (len(found) == 0 || remoting.CodeOf(failed) < 0) {
		return nil, failed
	}
	return found, nil
}

// brokersBehind are the brokers of the proxy.
func (c *Cluster) brokersBehind(ctx context.Context) ([]Broker, error) {
	c.mu.Lock()
	fresh := time.Since(c.read) < brokersLife
	c.mu.Unlock()
	if found := c.behind.known(); fresh && len(found) > 0 {
		return found, nil
	}
	found, err := c.readBehind(ctx)
	last := c.behind.known()
	if err != nil && (len(last) == 0 || remoting.CodeOf(err) >= 0) {
		return nil, err
	}
	c.mu.Lock()
	c.read = time.Now()
	if err != nil {
		c.read, found = c.read.Add(againSoon-brokersLife), last
	}
	c.mu.Unlock()
	return found, nil
}

// TopicConfigs are the settings of topics on the masters, by broker. Brokers list all topics that
// they have, whatever the names. Through a proxy, only the named topics are looked for, one after
// the other, and routes tell only the numbers of queues and the permission. A topic that isn't
// there is left out.
func (c *Cluster) TopicConfigs(ctx context.Context, names []string) (map[string]map[string]TopicConfig, error) {
	if c.behind != nil {
		return c.routedConfigs(ctx, names)
	}
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, err
	}
	all := map[string]map[string]TopicConfig{}
	for _, b := range brokers {
		if all[b.Name], err = c.client.TopicConfigs(ctx, b.Addr); err != nil {
			return nil, fmt.Errorf("topics of broker %s: %w", b.Name, err)
		}
	}
	return all, nil
}

func (c *Cluster) routedConfigs(ctx context.Context, names []string) (map[string]map[string]TopicConfig, error) {
	all := map[string]map[string]TopicConfig{}
	for _, name := range names {
		route, err := c.Route(ctx, name)
		if remoting.CodeOf(err) == remoting.TopicNotExist {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("route of topic %s: %w", name, err)
		}
		for _, q := range route.Queues {
			if all[q.BrokerName] == nil {
				all[q.BrokerName] = map[string]TopicConfig{}
			}
			all[q.BrokerName][name] = TopicConfig{Name: name, ReadQueues: q.Read, WriteQueues: q.Write, Perm: q.Perm}
		}
	}
	return all, nil
}
