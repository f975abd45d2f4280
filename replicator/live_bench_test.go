package replicator

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/positions"
	"rocketshift/replicator/replica"
	"rocketshift/replicator/verify"
)

func TestMain(m *testing.M) { labtest.Main(m) }

const (
	// liveTime bounds a live test: real servers start in seconds, and copy what these tests write
	// in a few more; on a machine with other work it may take minutes.
	liveTime = 20 * time.Minute
	// liveUntil bounds a wait for something that needs seconds.
	liveUntil = 5 * time.Minute
)

// live is a topic on two real clusters.
type live struct {
	*testing.T
	ctx            context.Context
	source, target *rocketmq.Cluster
	from, to       *rocketmq.Cluster // the same, as copiers see them: a frozen server is noticed soon
	topic, group   string
	lanes          []lane.Lane
	wrote          map[string]int // messages by write
}

// newLiveTopic is without lanes yet. Brokers go on counting for deleted topics, and other packages'
// tests use the same clusters: the topic's name is new.
func newLiveTopic(t *testing.T, source, target *lab.Cluster, topic string) *live {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), liveTime)
	t.Cleanup(cancel)
	topic = "replicator-" + topic + "-" + strconv.FormatInt(time.Now().UnixMilli(), 36)
	l := &live{T: t, ctx: ctx, topic: topic, group: "rocketshift-" + topic, wrote: map[string]int{}}
	l.source, l.target = l.connect(source, time.Minute), l.connect(target, time.Minute)
	l.from, l.to = l.connect(source, 3*time.Second), l.connect(target, 3*time.Second)
	return l
}

func newLive(t *testing.T, topic string, queues int) *live {
	t.Helper()
	return newLiveOn(t, labtest.Cluster(t, "5.3.3"), topic, queues)
}

func newLiveOn(t *testing.T, target *lab.Cluster, topic string, queues int) *live {
	t.Helper()
	return newLiveBetween(t, labtest.Cluster(t, "4.9.7"), target, topic, queues)
}

func newLiveBetween(t *testing.T, source, target *lab.Cluster, topic string, queues int) *live {
	t.Helper()
	l := newLiveTopic(t, source, target, topic)
	l.make(l.source, queues)
	sources, err := l.source.Brokers(l.ctx)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := l.target.Brokers(l.ctx)
	if err != nil {
		t.Fatal(err)
	}
	l.make(l.target, queues*len(sources)/len(targets))
	if l.lanes, err = replica.LanesOf(l.ctx, l.source, l.target, l.topic); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *live) names() replica.Names {
	return replica.Names{Group: l.group, Source: "Source", Target: "Target"}
}

func (l *live) connect(cluster *lab.Cluster, timeout time.Duration) *rocketmq.Cluster {
	options := rocketmq.Options{CallTimeout: timeout}
	if admin := cluster.Spec().Admin; admin != nil {
		options.Credentials = &remoting.Credentials{AccessKey: admin.AccessKey, SecretKey: admin.SecretKey}
	}
	client := rocketmq.NewClient(options)
	l.Cleanup(client.Close)
	return rocketmq.NewCluster(client, cluster.NameServers)
}

func (l *live) make(cluster *rocketmq.Cluster, queues int) {
	l.Helper()
	brokers, err := cluster.Brokers(l.ctx)
	if err != nil {
		l.Fatal(err)
	}
	for _, b := range brokers {
		config := rocketmq.TopicConfig{
			Name:        l.topic,
			ReadQueues:  queues,
			WriteQueues: queues,
			Perm:        6,
			FilterType:  "SINGLE_TAG",
		}
		if err := cluster.Client().CreateTopic(l.ctx, b.Addr, config); err != nil {
			l.Fatal(err)
		}
	}
}

func (l *live) broker(cluster *rocketmq.Cluster, name string) string {
	l.Helper()
	b, err := cluster.Broker(l.ctx, name)
	if err != nil {
		l.Fatal(err)
	}
	return b.Addr
}

// batch stores messages verbatim in a queue, and returns when the queue shows them.
func (l *live) batch(cluster *rocketmq.Cluster, q lane.Queue, born int64, messages ...rocketmq.BatchMessage) {
	l.Helper()
	l.shown(cluster, q, l.store(cluster, q, born, messages...))
}

// shown waits until the queue shows what lies before its end: brokers acknowledge a message a
// little before they do.
func (l *live) shown(cluster *rocketmq.Cluster, q lane.Queue, end int64) {
	l.Helper()
	addr := l.broker(cluster, q.Broker)
	var at int64
	var err error
	l.waitFor(fmt.Sprintf("queue %s shows its messages up to %d", q, end), func() bool {
		at, err = cluster.Client().MaxOffset(l.ctx, addr, l.topic, q.ID)
		return err == nil && at >= end
	}, func() any { return fmt.Sprintf("%d, %v", at, err) })
}

// store is batch without the wait. It returns where the queue ends then.
func (l *live) store(
	cluster *rocketmq.Cluster,
	q lane.Queue,
	born int64,
	messages ...rocketmq.BatchMessage,
) (end int64) {
	l.Helper()
	request := rocketmq.BatchRequest{
		Group:         "writer",
		Topic:         l.topic,
		Queue:         q.ID,
		BornTimestamp: born,
		Messages:      messages,
	}
	err := remoting.Retry(l.ctx, func() error {
		sent, err := cluster.Client().SendBatch(l.ctx, l.broker(cluster, q.Broker), request)
		end = sent.Offset + int64(len(messages))
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
	return end
}

// single stores a message as an application's producer would.
func (l *live) single(lane lane.Lane, body []byte, born int64, properties ...remoting.Property) {
	l.Helper()
	request := rocketmq.SendRequest{
		Group: "writer", Topic: l.topic, Queue: lane.Source.ID, BornTimestamp: born, Body: body,
		Properties: remoting.EncodeProperties(properties),
	}
	err := remoting.Retry(l.ctx, func() error {
		_, err := l.source.Client().SendMessage(l.ctx, l.broker(l.source, lane.Source.Broker), request)
		return err
	})
	if err != nil {
		l.Fatal(err)
	}
}

// fill writes n messages to each lane's source queue, in batches of 50.
func (l *live) fill(n int) {
	l.Helper()
	for _, lane := range l.lanes {
		var end int64
		for start := 0; start < n; start += 50 {
			var messages []rocketmq.BatchMessage
			for i := start; i < min(n, start+50); i++ {
				messages = append(messages, rocketmq.BatchMessage{
					Flag: int32(i), Body: fmt.Appendf(nil, "message %d of lane %d", i, lane.Index),
					Properties: []byte(
						fmt.Sprintf("KEYS\x01k%d\x02TAGS\x01t%d\x02UNIQ_KEY\x01u-%d-%d", i, i%3, lane.Index, i),
					),
				})
			}
			end = l.store(l.source, lane.Source, time.Now().UnixMilli(), messages...)
		}
		l.shown(l.source, lane.Source, end)
	}
}

// copier runs lanes until its stop is called.
type copier struct {
	stop func() lane.Progress
	*Replicator
	mu   sync.Mutex
	last lane.Progress
}

func (c *copier) progress() lane.Progress {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

func (l *live) start(holder string, lanes []lane.Lane, change func(*Replicator)) *copier {
	r := NewReplicator(l.from, l.to, Options{Names: l.names(), Holder: holder})
	r.timing.report = 20 * time.Millisecond
	if change != nil {
		change(r)
	}
	return l.run(r, lanes)
}

func (l *live) run(r *Replicator, lanes []lane.Lane) *copier {
	ctx, cancel := context.WithCancel(l.ctx)
	c, ended := &copier{Replicator: r}, make(chan error, 1)
	go func() {
		ended <- r.Run(ctx, lanes, func(p lane.Progress) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.last = p
		})
	}()
	c.stop = sync.OnceValue(func() lane.Progress {
		cancel()
		if err := <-ended; err != nil {
			l.Errorf("run: %v", err)
		}
		return c.progress()
	})
	l.Cleanup(func() { c.stop() })
	return c
}

func (l *live) until(what string, c *copier, condition func(lane.Progress) bool) {
	l.Helper()
	l.waitFor(what, func() bool { return condition(c.progress()) },
		func() any { return fmt.Sprintf("progress %+v", c.progress()) })
}

// waitFor looks again and again.
func (l *live) waitFor(what string, condition func() bool, saw func() any) {
	l.Helper()
	again := time.NewTicker(5 * time.Millisecond)
	defer again.Stop()
	for over := time.After(liveUntil); !condition(); {
		select {
		case <-again.C:
		case <-over:
			l.Fatalf("waited %s until %s; saw %v", liveUntil, what, saw())
		}
	}
}

// untilCopied waits until the lanes' committed progress has reached the ends of the source's
// queues.
func (l *live) untilCopied(c *copier) {
	l.Helper()
	positions := positions.New(l.source, l.target, l.names())
	var saw string
	l.waitFor("everything is copied and committed", func() bool {
		for _, lane := range l.lanes {
			copied, end, err := positions.Progress(l.ctx, lane)
			if saw = fmt.Sprintf("%s: %d of %d, %v", lane, copied, end, err); err != nil || copied != end {
				return false
			}
		}
		return true
	}, func() any { return fmt.Sprintf("%s; progress %+v", saw, c.progress()) })
}

// verify sums the reports of all lanes.
func (l *live) verify() (sum verify.Report) {
	l.Helper()
	for _, lane := range l.lanes {
		report, err := verify.Lane(l.ctx, l.source, l.target, lane, verify.Options{Names: l.names()}, nil)
		if err != nil {
			l.Fatal(err)
		}
		sum.Compared += report.Compared
		sum.Natives += report.Natives
		sum.Back += report.Back
		sum.Missing += report.Missing
		sum.Extra += report.Extra
		sum.Altered += report.Altered
		sum.OutOfOrder += report.OutOfOrder
		sum.Examples = append(sum.Examples, report.Examples...)
	}
	return sum
}

func (l *live) wantClean(messages int64) {
	l.Helper()
	if got := l.verify(); got.Compared != messages || got.Missing+got.Extra+got.Altered+got.OutOfOrder+got.Natives > 0 {
		l.Fatalf("verification %+v, wanted %d messages and no difference", got, messages)
	}
}
