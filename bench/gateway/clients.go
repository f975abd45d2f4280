package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/lab"
)

// connected is the result of clients.
type connected struct {
	Clients     int     `json:"clients"`
	Connections int     `json:"connections"` // of the gateway, to clients and to servers
	MemoryMB    float64 `json:"memoryMB"`    // resident, the most that was seen
	CPUPercent  float64 `json:"cpuPercent"`  // of one processor, while long polls go on
}

const (
	groupsOfClients = 50 // consumer groups that the clients share
	allConnect      = 2 * time.Minute
	pollTime        = 10 * time.Second // of long polls
)

// measureClients connects clients that do what idle consumers do: each asks for a route, sends
// heartbeats, and polls at the end of a queue.
func (c *course) measureClients(ctx context.Context, result *json.Encoder) error {
	if err := c.use(ctx); err != nil {
		return err
	}
	for i := range groupsOfClients {
		if err := c.makeGroup(ctx, fmt.Sprint("bench-gateway-idle-", i)); err != nil {
			return err
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	failed := make(chan error, c.clients)
	polled := make(chan struct{}, c.clients)
	for i := range c.clients {
		one := idleClient{id: i, names: c.gateway.names}
		go func() {
			if err := one.run(ctx, polled); err != nil && ctx.Err() == nil {
				failed <- fmt.Errorf("client %d: %w", i, err)
			}
		}()
	}
	deadline := time.After(allConnect)
	for n := range c.clients { // each has had an answer to a poll
		select {
		case <-polled:
		case err := <-failed:
			return err
		case <-deadline:
			return fmt.Errorf("%d of %d clients have an answer to a poll after %s", n, c.clients, allConnect)
		}
	}
	m, err := c.watch(failed)
	if err != nil {
		return err
	}
	return result.Encode(m)
}

func (c *course) watch(failed chan error) (m connected, err error) {
	m.Clients = c.clients
	pid := c.gateway.Process.Pid
	before, err := lab.ProcessCPU(pid)
	if err != nil {
		return m, err
	}
	begin := time.Now()
	select {
	case err := <-failed:
		return m, err
	case <-time.After(time.Duration(c.measure) * time.Second):
	}
	after, err := lab.ProcessCPU(pid)
	if err != nil {
		return m, err
	}
	m.CPUPercent = rounded(100 * (after - before).Seconds() / time.Since(begin).Seconds())
	if m.Connections, err = connections(pid); err != nil {
		return m, err
	}
	_, most, err := memoryOf(pid)
	m.MemoryMB = rounded(float64(most) / (1 << 20))
	return m, err
}

// idleClient is a consumer that has nothing to read.
type idleClient struct {
	id    int
	names string
}

func (i idleClient) run(ctx context.Context, polled chan<- struct{}) error {
	names, err := dial(ctx, i.names)
	if err != nil {
		return err
	}
	defer names.conn.Close()
	route, err := names.call(105, []string{"topic", topic}, nil)
	if err != nil {
		return err
	}
	broker, err := dial(ctx, brokerIn(route))
	if err != nil {
		return err
	}
	defer broker.conn.Close()
	group := fmt.Sprint("bench-gateway-idle-", i.id%groupsOfClients)
	if _, err := broker.call(34, nil, heartbeat(fmt.Sprint("client-", i.id), group)); err != nil {
		return err
	}
	poll := []string{
		"consumerGroup", group, "topic", topic, "queueId", fmt.Sprint(i.id % queues), "queueOffset", "0",
		"maxMsgNums", "32", "sysFlag", "6", "commitOffset", "0", "suspendTimeoutMillis",
		fmt.Sprint(pollTime.Milliseconds()), "subscription", "*", "subVersion", "0", "expressionType", "TAG",
	}
	for n := 0; ctx.Err() == nil; n++ {
		if _, err := broker.call(11, poll, nil); err != nil {
			return err
		}
		if n == 0 {
			polled <- struct{}{}
		}
	}
	return nil
}

// heartbeat is a consumer's HeartbeatData.
func heartbeat(client, group string) []byte {
	return fmt.Appendf(
		nil,
		`{"clientID":%q,"consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":%q,`+
			`"messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[],`+
			`"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],`+
			`"topic":%q}],"unitMode":false}],"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}]}`,
		client,
		group,
		topic,
	)
}

// brokerIn is the first address of a broker in a route.
func brokerIn(route []byte) string {
	_, rest, _ := strings.Cut(string(route), `"brokerAddrs":{`)
	_, rest, _ = strings.Cut(rest, `:"`)
	addr, _, _ := strings.Cut(rest, `"`)
	return addr
}

// line is a connection on which one request waits for its answer at a time.
type line struct {
	conn   net.Conn
	in     *wire.Reader
	opaque int32
}

func dial(ctx context.Context, addr string) (*line, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	return &line{conn: conn, in: wire.NewReader(conn)}, nil
}

// call returns the body of the answer. The answers to polls that find nothing are as good as
// others.
func (l *line) call(code int, fields []string, body []byte) ([]byte, error) {
	l.opaque++
	if _, err := l.conn.Write(wire.AppendRequest(nil, code, l.opaque, 0, fields, body)); err != nil {
		return nil, err
	}
	for {
		var f wire.Frame
		if err := l.in.Next(&f); err != nil {
			return nil, err
		}
		switch {
		case !f.Response() || f.Opaque != l.opaque: // a broker says that members have changed
			continue
		case f.Code == 0 || code == 11 && (f.Code == 19 || f.Code == 20):
			return append([]byte(nil), f.Body...), nil
		}
		return nil, fmt.Errorf("code %d is answered with %d: %s", code, f.Code, f.Remark)
	}
}
