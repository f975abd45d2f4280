package remotingtest

import (
	"fmt"
	"maps"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"

	"rocketshift/internal/rocketmq/remoting"
)

// Cluster is a fake of a name server and one broker, of what reading a cluster needs. Its fields
// mustn't change while it serves.
type Cluster struct {
	Name, Broker string
	Version      string // of the broker, such as V4_9_7
	Topics       map[string]Topic
	Groups       map[string]bool                        // whether each is open (consumeEnable)
	Offsets      map[string]map[int]int64               // committed, by topic@group and queue
	Members      map[string]string                      // answers about who is connected, by group (ConsumerConnection)
	Runtime      map[string]string                      // besides brokerVersionDesc
	Config       map[string]string                      // the broker's own settings
	More         func(*remoting.Command) (Answer, bool) // is asked first

	// Advertised is the host that name servers give for the broker; empty is where it is.
	Advertised string

	addr string // of the broker
}

// Topic is one of the fake's topics.
type Topic struct {
	Read, Write, Perm int
	Held              map[int][2]int64 // what queues hold: the first offset, and that after the last
	Message           remoting.Message // what each of their messages is
}

// Start serves the cluster until the test ends, and returns the address of its name server.
func (c *Cluster) Start(t testing.TB) (nameServer string) {
	t.Helper()
	topics, groups, offsets := c.topicTable(), c.groupTable(), c.offsetTable()
	c.addr = Serve(t, func(asked *remoting.Command) Answer {
		if c.More != nil {
			if said, is := c.More(asked); is {
				return said
			}
		}
		switch asked.Code {
		case remoting.CodeTopicConfigs:
			return Answer{Body: topics}
		case remoting.CodeGroups:
			return Answer{Body: groups}
		case remoting.CodeAllOffsets:
			return Answer{Body: offsets}
		}
		return c.broker(asked)
	})
	return Serve(t, func(asked *remoting.Command) Answer { return c.nameServer(asked) })
}

// Addr is the broker's address, once it serves.
func (c *Cluster) Addr() string { return c.addr }

func (c *Cluster) nameServer(asked *remoting.Command) Answer {
	told := c.addr
	if c.Advertised != "" {
		_, port, _ := net.SplitHostPort(c.addr)
		told = net.JoinHostPort(c.Advertised, port)
	}
	addrs := fmt.Sprintf(`"brokerAddrs":{"0":%q},"brokerName":%q,"cluster":%q`, told, c.Broker, c.Name)
	switch asked.Code {
	case remoting.CodeKVList: // there is no such namespace
		return Answer{Code: remoting.QueryNotFound}
	case remoting.CodeClusterInfo:
		return Answer{Body: fmt.Appendf(nil, `{"brokerAddrTable":{%q:{%s}},"clusterAddrTable":{%q:[%q]}}`,
			c.Broker, addrs, c.Name, c.Broker)}
	case remoting.CodeTopicNames:
		names := slices.Sorted(maps.Keys(c.Topics))
		for i := range names {
			names[i] = strconv.Quote(names[i])
		}
		return Answer{Body: fmt.Appendf(nil, `{"topicList":[%s]}`, strings.Join(names, ","))}
	case remoting.CodeRoute:
		t, known := c.Topics[asked.Fields["topic"]]
		if !known {
			return Answer{Code: remoting.TopicNotExist, Remark: "No topic route info"}
		}
		return Answer{
			Body: fmt.Appendf(nil, `{"brokerDatas":[{%s}],"filterServerTable":{},"queueDatas":[{"brokerName":%q,`+
				`"perm":%d,"readQueueNums":%d,"writeQueueNums":%d}]}`, addrs, c.Broker, t.Perm, t.Read, t.Write),
		}
	}
	return unsupported
}

var unsupported = Answer{Code: remoting.NotSupported, Remark: "request code not supported"}

func (c *Cluster) broker(asked *remoting.Command) Answer {
	switch asked.Code {
	case remoting.CodeRuntime:
		return Answer{Body: c.runtime()}
	case remoting.CodeBrokerConfig:
		var lines strings.Builder
		for _, name := range slices.Sorted(maps.Keys(c.Config)) {
			lines.WriteString(name + "=" + c.Config[name] + "\n")
		}
		return Answer{Body: []byte(lines.String())}
	case remoting.CodeProducers:
		return Answer{Body: []byte(`{"data":{}}`)}
	case remoting.CodeConsumerConnection:
		if body, online := c.Members[asked.Fields["consumerGroup"]]; online {
			return Answer{Body: []byte(body)}
		}
		return Answer{Code: remoting.ConsumerNotOnline, Remark: "the consumer group not online"}
	case remoting.CodeDelayOffsets:
		return Answer{Body: []byte(`{"offsetTable":{}}`)}
	}
	return c.queues(asked)
}

// queues answers about what is stored.
func (c *Cluster) queues(asked *remoting.Command) Answer {
	topic := asked.Fields["topic"]
	queue, _ := strconv.Atoi(asked.Fields["queueId"])
	t := c.Topics[topic]
	switch asked.Code {
	case remoting.CodeTopicStats:
		return Answer{Body: c.stats(topic)}
	case remoting.CodeMinOffset:
		return Answer{Fields: map[string]string{"offset": strconv.FormatInt(t.Held[queue][0], 10)}}
	case remoting.CodeMaxOffset:
		return Answer{Fields: map[string]string{"offset": strconv.FormatInt(t.Held[queue][1], 10)}}
	case remoting.CodePull:
		return c.pull(asked, t, queue)
	}
	return unsupported
}

func (c *Cluster) pull(asked *remoting.Command, t Topic, queue int) Answer {
	begin, _ := strconv.ParseInt(asked.Fields["queueOffset"], 10, 64)
	most, _ := strconv.ParseInt(asked.Fields["maxMsgNums"], 10, 64)
	held := t.Held[queue]
	end := min(begin+most, held[1])
	said := Answer{Fields: map[string]string{
		"nextBeginOffset": strconv.FormatInt(max(begin, end), 10), "suggestWhichBrokerId": "0",
		"minOffset": strconv.FormatInt(held[0], 10), "maxOffset": strconv.FormatInt(held[1], 10),
	}}
	if begin < held[0] || begin >= held[1] {
		said.Code = remoting.PullOffsetMoved
		return said
	}
	m := t.Message
	m.Topic, m.Queue = asked.Fields["topic"], queue
	for at := begin; at < end; at++ {
		m.QueueOffset = at
		said.Body = append(said.Body, Stored(m)...)
	}
	return said
}

func (c *Cluster) stats(topic string) []byte {
	t := c.Topics[topic]
	var all []string
	for id := range t.Write {
		held := t.Held[id]
		all = append(all, fmt.Sprintf(`{"brokerName":%q,"queueId":%d,"topic":%q}:{"lastUpdateTimestamp":%d,`+
			`"maxOffset":%d,"minOffset":%d}`, c.Broker, id, topic, t.Message.StoreTimestamp, held[1], held[0]))
	}
	return fmt.Appendf(nil, `{"offsetTable":{%s}}`, strings.Join(all, ","))
}

func (c *Cluster) runtime() []byte {
	table := map[string]string{"brokerVersionDesc": c.Version, "bootTimestamp": "1733000000000"}
	maps.Copy(table, c.Runtime)
	var all []string
	for _, name := range slices.Sorted(maps.Keys(table)) {
		all = append(all, fmt.Sprintf("%q:%q", name, table[name]))
	}
	return fmt.Appendf(nil, `{"table":{%s}}`, strings.Join(all, ","))
}
