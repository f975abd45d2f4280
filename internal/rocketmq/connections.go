package rocketmq

import (
	"context"
	"strconv"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// Connection is a client as a broker sees it.
type Connection struct {
	ClientID, Addr, Language string
	Version                  int // ordinal of MQVersion; VersionName reads it
}

// Ordinals of MQVersion from which, or up to which, clients differ.
const (
	Version440 = 293
	Version450 = 313
	Version452 = 317
	Version495 = 403
	Version500 = 413
)

// versionNames are the ordinals of MQVersion that occur. An ordinal counts releases, so the name
// can't be computed.
var versionNames = map[int]string{
	273: "4.3.0", 275: "4.3.1", 277: "4.3.2", Version440: "4.4.0", Version450: "4.5.0",
	315: "4.5.1", Version452: "4.5.2",
	333: "4.6.0", 335: "4.6.1", 353: "4.7.0", 355: "4.7.1", 373: "4.8.0", 393: "4.9.0", 395: "4.9.1", 397: "4.9.2",
	399: "4.9.3",
	401: "4.9.4", Version495: "4.9.5", 405: "4.9.6", 407: "4.9.7", 409: "4.9.8", Version500: "5.0.0", 433: "5.1.0",
	473: "5.3.0", 475: "5.3.1", 477: "5.3.2", 479: "5.3.3", 493: "5.4.0", 513: "5.5.0",
}

// VersionName is the release of a version ordinal, or the ordinal itself as "#407" when it isn't
// known.
func VersionName(ordinal int) string {
	if name, ok := versionNames[ordinal]; ok {
		return name
	}
	return "#" + strconv.Itoa(ordinal)
}

// ConsumerConnections are a group's members on one broker and what they subscribe to.
type ConsumerConnections struct {
	Connections                                 []Connection
	MessageModel, ConsumeType, ConsumeFromWhere string
	Topics                                      []string
	Subscriptions                               []Subscription
}

// Subscription is what a group asks for of a topic, as its last heartbeat said it.
type Subscription struct {
	Topic string
	Filter
	ByClass bool // a class of the application filters, which a filter server runs
}

// ByTags reports whether it filters by tags, as all brokers can.
func (s Subscription) ByTags() bool { return s.Kind == "" || s.Kind == byTags }

func readSubscription(topic string, of remoting.Object) Subscription {
	return Subscription{
		topic, Filter{of.Text("expressionType"), of.Text("subString")}, of.Flag("classFilterMode", false),
	}
}

// byTags is the kind of filters by tags. Filters without a kind are of it, too (ExpressionType,
// 4.5.2 to 5.3.3).
const byTags = "TAG"

// ConsumerConnectionsOf lists the members of a group that send heartbeats to the broker. Without
// any it is an empty list, no error.
func (c *Client) ConsumerConnectionsOf(ctx context.Context, addr, group string) (ConsumerConnections, error) {
	got, err := c.ask(ctx, addr,
		&remoting.Command{Code: remoting.CodeConsumerConnection, Fields: map[string]string{"consumerGroup": group}},
		group, remoting.ConsumerNotOnline)
	if err != nil || got.Code == remoting.ConsumerNotOnline {
		return ConsumerConnections{}, err
	}
	o, err := remoting.ParseObject(got.Body)
	if err != nil {
		return ConsumerConnections{}, badBody(addr, remoting.CodeConsumerConnection, err)
	}
	out := ConsumerConnections{
		Connections: readConnections(o.List("connectionSet")), MessageModel: o.Text("messageModel"),
		ConsumeType: o.Text("consumeType"), ConsumeFromWhere: o.Text("consumeFromWhere"),
	}
	for _, entry := range o.Object("subscriptionTable") {
		topic, known := c.options.Renames.topicHere(remoting.TextOf(entry.Key))
		if !known {
			continue
		}
		of, _ := entry.Value.(remoting.Object)
		out.Topics = append(out.Topics, topic)
		out.Subscriptions = append(out.Subscriptions, readSubscription(topic, of))
	}
	return out, nil
}

func readConnections(list []any) []Connection {
	var out []Connection
	for _, v := range list {
		o, _ := v.(remoting.Object)
		addr := o.Text("clientAddr")
		if addr == "" {
			addr = strings.TrimPrefix(o.Text("remoteIP"),
				"/") // ProducerInfo's name for it, and Java's way to print a socket's address
		}
		out = append(out, Connection{
			ClientID: o.Text("clientId"),
			Addr:     addr,
			Language: o.Text("language"),
			Version:  int(o.Number("version")),
		})
	}
	return out
}

// Producers lists all connected producers of a broker by their producer group (4.9.4 and later).
func (c *Client) Producers(ctx context.Context, addr string) (map[string][]Connection, error) {
	o, err := c.askObject(ctx, addr, &remoting.Command{Code: remoting.CodeProducers}, "")
	if err != nil {
		return nil, err
	}
	out := map[string][]Connection{}
	for _, entry := range o.Object("data") {
		list, _ := entry.Value.([]any)
		out[remoting.TextOf(entry.Key)] = readConnections(list)
	}
	return out, nil
}

// ProcessQueueInfo is what a member says of one queue that it reads.
type ProcessQueueInfo struct {
	Topic, Broker        string
	Queue                int
	CommitOffset         int64 // what it will commit next
	CachedMin, CachedMax int64
	CachedCount          int // messages pulled and not finished
	InWork               int // orderly members: messages handed to the application
	Locked, Dropped      bool
}

// RunningInfo is a member's own account of itself.
type RunningInfo struct {
	Properties    map[string]string
	Subscriptions []Subscription
	Queues        []ProcessQueueInfo
}

// Orderly reports whether the member consumes in order. Java's consumers and client-go say so.
func (i RunningInfo) Orderly() bool {
	return strings.EqualFold(i.Properties["PROP_CONSUMEORDERLY"], "true")
}

// ConsumerRunningInfo asks a member, through the broker, what it holds. If the member doesn't
// answer, the broker answers with an error. An empty answer is an error, too: client-go v2 sends
// one, with code 0, when one of its statistics isn't a number.
func (c *Client) ConsumerRunningInfo(ctx context.Context, addr, group, clientID string) (RunningInfo, error) {
	about := "group " + group + " member " + clientID
	got, err := c.ask(ctx, addr, &remoting.Command{Code: remoting.CodeRunningInfo, Fields: map[string]string{
		"consumerGroup": group, "clientId": clientID, "jstackEnable": "false",
	}}, about)
	if err != nil {
		return RunningInfo{}, err
	}
	if len(got.Body) == 0 {
		return RunningInfo{}, &remoting.Error{
			Server: addr,
			Call:   remoting.RequestName(remoting.CodeRunningInfo) + " " + about,
			Code:   remoting.SystemError,
			Remark: "the member's answer is empty: " + got.Remark,
		}
	}
	o, err := remoting.ParseObject(got.Body)
	if err != nil {
		return RunningInfo{}, badBody(addr, remoting.CodeRunningInfo, err)
	}
	out := RunningInfo{Properties: o.Object("properties").Texts()}
	for _, v := range o.List("subscriptionSet") {
		of, _ := v.(remoting.Object)
		if topic, known := c.options.Renames.topicHere(of.Text("topic")); known {
			out.Subscriptions = append(out.Subscriptions, readSubscription(topic, of))
		}
	}
	for _, entry := range o.Object("mqTable") {
		key, _ := entry.Key.(remoting.Object)
		v, _ := entry.Value.(remoting.Object)
		q, known := c.options.Renames.queueHere(key)
		if !known {
			continue
		}
		out.Queues = append(out.Queues, ProcessQueueInfo{
			Topic: q.Topic, Broker: q.Broker, Queue: q.Queue, CommitOffset: v.Number("commitOffset"),
			CachedMin: v.Number("cachedMsgMinOffset"), CachedMax: v.Number("cachedMsgMaxOffset"),
			CachedCount: int(v.Number("cachedMsgCount")), InWork: int(v.Number("transactionMsgCount")),
			Locked: v.Flag("locked", false), Dropped: v.Flag("droped", false), // RocketMQ's own spelling
		})
	}
	return out, nil
}

// firstWithProducers is the first version whose brokers list their producers
// (GET_ALL_PRODUCER_INFO). Earlier ones don't answer, or don't know the request.
const firstWithProducers = "4.9.4"

// TellsProducers reports whether the broker lists its producers, as far as its version says it.
func (b Broker) TellsProducers() bool { return !remoting.Earlier(b.Version, firstWithProducers) }

// firstWithAccounts is the first version whose brokers know GET_BROKER_CLUSTER_ACL_CONFIG. Earlier ones
// that have ACL 1.0 don't answer it at all (4.5.2).
const firstWithAccounts = "4.7.0"

// TellsAccounts reports whether the broker can be asked for its accounts of ACL 1.0, as far as its
// version says it.
func (b Broker) TellsAccounts() bool { return !remoting.Earlier(b.Version, firstWithAccounts) }
