package rocketmq_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

func TestMain(m *testing.M) { labtest.MainWithProxies(m) }

const (
	// liveTime bounds a live test; a broker that shares its cores may take seconds for what needs
	// milliseconds.
	liveTime = 10 * time.Minute
	// untilTime is how long until looks.
	untilTime = 3 * time.Minute
	// lookEvery is how often until looks again.
	lookEvery = 10 * time.Millisecond

	v4 = "4.9.7"
	v5 = "5.3.3"
)

// live is a test's view of the first broker of a cluster, with a topic and a group that are the
// test's own.
type live struct {
	*testing.T
	ctx           context.Context
	version       string
	cluster       *rocketmq.Cluster
	client        *rocketmq.Client
	broker, addr  string
	nameServer    string
	topic, group  string
	reader        string // a group that only pulls, which brokers make at its first pull
	topicsCreated []string
	groupsCreated []string
}

// onEach runs a test against brokers of both versions that all tests share.
func onEach(t *testing.T, test func(l *live)) {
	t.Helper()
	for _, version := range []string{v4, v5} {
		t.Run(version, func(t *testing.T) {
			test(newLive(t, labtest.Cluster(t, version), rocketmq.Options{}))
		})
	}
}

// onOwn runs a test against a cluster of its own for each version, which it may break.
func onOwn(t *testing.T, spec lab.ClusterSpec, test func(l *live, c *lab.Cluster)) {
	t.Helper()
	for _, version := range []string{v4, v5} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			own := spec
			own.Version = version
			c := labtest.OwnCluster(t, own)
			var o rocketmq.Options
			if admin := spec.Admin; admin != nil {
				o.Credentials = &remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey}
			}
			test(newLive(t, c, o), c)
		})
	}
}

var noName = regexp.MustCompile(`[^A-Za-z0-9_-]+`)

func newLive(t *testing.T, c *lab.Cluster, o rocketmq.Options) *live {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), liveTime)
	t.Cleanup(cancel)
	if o.CallTimeout == 0 {
		o.CallTimeout = time.Minute
	}
	client := rocketmq.NewClient(o)
	t.Cleanup(client.Close)
	// Brokers go on counting for deleted topics, so a repeated test needs another name.
	name := noName.ReplaceAllString(t.Name(), "-") + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	l := &live{
		T: t, ctx: ctx, version: c.Spec().Version, cluster: rocketmq.NewCluster(client, c.NameServers), client: client,
		broker: c.Brokers[0].Name, addr: c.Brokers[0].Addr, nameServer: c.NameServers[0],
		topic: name, group: "G-" + name, reader: "R-" + name,
	}
	t.Cleanup(l.cleanUp)
	return l
}

// cleanUp deletes what the test made. What is gone already, or whose broker is, needs no cleaning.
func (l *live) cleanUp() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, topic := range l.topicsCreated {
		_ = l.client.DeleteTopic(ctx, l.addr, topic)
		_ = l.client.DeleteTopicInNameServer(ctx, l.nameServer, topic)
	}
	for _, group := range append(l.groupsCreated, l.reader) {
		_ = l.client.DeleteGroup(ctx, l.addr, group, true)
	}
}

func (l *live) is5() bool { return l.version == v5 }

// byVersion picks what is wanted of the version under test.
func byVersion[T any](l *live, of4, of5 T) T {
	if l.is5() {
		return of5
	}
	return of4
}

// makeTopic makes the test's topic with that many queues.
func (l *live) makeTopic(queues int) {
	l.Helper()
	l.makeTopicNamed(l.topic, queues)
}

func (l *live) makeTopicNamed(topic string, queues int) {
	l.Helper()
	config := rocketmq.TopicConfig{
		Name:        topic,
		ReadQueues:  queues,
		WriteQueues: queues,
		Perm:        rocketmq.PermRead | rocketmq.PermWrite,
	}
	l.topicsCreated = append(l.topicsCreated, topic)
	require.NoError(l, l.client.CreateTopic(l.ctx, l.addr, config))
}

// makeGroup makes the test's group.
func (l *live) makeGroup() {
	l.Helper()
	l.groupsCreated = append(l.groupsCreated, l.group)
	require.NoError(l, l.client.PutGroup(l.ctx, l.addr, l.plainGroup()))
}

func (l *live) plainGroup() rocketmq.Group {
	return rocketmq.Group{
		Name: l.group, ConsumeEnable: true, FromMinEnable: true, BroadcastEnable: true, RetryQueues: 1,
		RetryMaxTimes: 16, WhichBrokerWhenSlow: 1, NotifyChanged: true,
	}
}

// batch stores messages and returns where the first one is.
func (l *live) batch(queue int, messages ...rocketmq.BatchMessage) rocketmq.SendResult {
	l.Helper()
	got, err := l.sendBatch(l.addr, rocketmq.BatchRequest{
		Group: "writer", Topic: l.topic, Queue: queue, BornTimestamp: time.Now().UnixMilli(), Messages: messages,
	})
	require.NoError(l, err)
	return got
}

// sendBatch is the client's, repeated while a broker that shares its cores says that it is busy: it
// has stored nothing then.
func (l *live) sendBatch(addr string, request rocketmq.BatchRequest) (got rocketmq.SendResult, err error) {
	err = remoting.Retry(l.ctx, func() (err error) {
		got, err = l.client.SendBatch(l.ctx, addr, request)
		return err
	})
	return got, err
}

// sendMessage is sendBatch for a single message.
func (l *live) sendMessage(addr string, request rocketmq.SendRequest) (got rocketmq.SendResult, err error) {
	err = remoting.Retry(l.ctx, func() (err error) {
		got, err = l.client.SendMessage(l.ctx, addr, request)
		return err
	})
	return got, err
}

// hold starts a pull that waits at the end of a queue, with a client of its own from then on, and
// returns when the broker has received it: a later answer on the same connection says so.
func (l *live) hold(request rocketmq.PullRequest) (ended func() (rocketmq.PullResult, error)) {
	l.Helper()
	request.Group = fmt.Sprintf("%s-%d", l.reader, time.Now().UnixNano()) // in no other request
	l.groupsCreated = append(l.groupsCreated, request.Group)
	left := make(chan struct{})
	tell := sync.OnceFunc(func() { close(left) })
	l.client = rocketmq.NewClient(
		rocketmq.Options{CallTimeout: time.Minute, Dial: func(ctx context.Context, addr string) (net.Conn, error) {
			conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
			return watched{conn, []byte(request.Group), tell}, err
		}},
	)
	l.Cleanup(l.client.Close)
	var got rocketmq.PullResult
	var err error
	var pull sync.WaitGroup
	pull.Go(func() { got, err = l.client.Pull(l.ctx, l.addr, request) })
	select {
	case <-left:
	case <-l.ctx.Done():
		l.Fatal("the pull was never sent")
	}
	_, asked := l.client.MaxOffset(l.ctx, l.addr, request.Topic, request.Queue)
	require.NoError(l, asked)
	return func() (rocketmq.PullResult, error) { pull.Wait(); return got, err }
}

// watched is a connection that tells when something with a text in it has been written.
type watched struct {
	net.Conn
	text []byte
	tell func()
}

func (w watched) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if bytes.Contains(p, w.text) {
		w.tell()
	}
	return n, err
}

// fill stores n numbered messages in a queue and waits until they can be read.
func (l *live) fill(queue, n int) {
	l.Helper()
	messages := make([]rocketmq.BatchMessage, n)
	for i := range messages {
		messages[i].Body = fmt.Appendf(nil, "message %d", i)
	}
	first := l.batch(queue, messages...)
	l.read(l.topic, queue, first.Offset, n)
}

// read pulls n messages from an offset on, waiting for those that brokers have acknowledged but not
// yet dispatched.
func (l *live) read(topic string, queue int, offset int64, n int) []remoting.Message {
	l.Helper()
	var out []remoting.Message
	for len(out) < n {
		next := offset + int64(len(out))
		got, err := l.client.Pull(l.ctx, l.addr, rocketmq.PullRequest{
			Group: l.reader, Topic: topic, Queue: queue, Offset: next, Max: n - len(out), Wait: 10 * time.Second,
		})
		require.NoError(l, err)
		require.Contains(l, []rocketmq.PullStatus{rocketmq.PullFound, rocketmq.PullNoNew}, got.Status,
			"pull of %s queue %d offset %d: %+v", topic, queue, next, got)
		out = append(out, got.Messages...)
	}
	return out
}

// until looks again and again, for untilTime at most, and fails with what was seen last.
func (l *live) until(wanted string, look func() (seen any, ok bool)) {
	l.Helper()
	ctx, cancel := context.WithTimeout(l.ctx, untilTime)
	defer cancel()
	again := time.NewTicker(lookEvery)
	defer again.Stop()
	for {
		seen, ok := look()
		if ok {
			return
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			l.Fatalf("wanted within %s: %s; seen last: %+v", untilTime, wanted, seen)
		}
	}
}

// wantCode fails unless err is a refusal by the broker with that code.
func (l *live) wantCode(what string, code int, err error) {
	l.Helper()
	if got := remoting.CodeOf(err); got != code {
		l.Errorf("%s: code %d %s (%v), wanted %d %s", what, got, remoting.CodeName(got), err, code,
			remoting.CodeName(code))
	}
}
