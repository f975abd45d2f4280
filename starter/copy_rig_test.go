package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// buffer is what a command prints while a test reads it.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// capture is an app with nothing in its environment.
func capture() (a *app, stdout, stderr *buffer) {
	stdout, stderr = &buffer{}, &buffer{}
	return newApp(nil, stdout, stderr, func(string) (string, bool) { return "", false }), stdout, stderr
}

func shortContext(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	t.Cleanup(cancel)
	return ctx
}

// guard is a limit that only a command which never ends reaches, on a machine that has other work.
const guard = 10 * time.Minute

// rig is two real clusters and a topic of the test's own on the source.
type rig struct {
	*testing.T
	ctx            context.Context
	source, target *lab.Cluster
	client         *rocketmq.Client
	topic          string
	printed        io.Writer // what its copies printed, for a failed test
}

// newRig names the topic starter- and so on: tests of other packages use the same clusters.
func newRig(t *testing.T, topic string, queues int) *rig {
	t.Helper()
	return newRigBetween(t, topic, queues, labtest.Cluster(t, "4.9.7"), labtest.Cluster(t, "5.3.3"))
}

func newRigBetween(t *testing.T, topic string, queues int, source, target *lab.Cluster) *rig {
	t.Helper()
	topic = "starter-" + topic
	r := &rig{T: t, printed: labtest.Output(t, "copies"), source: source, target: target, topic: topic}
	r.ctx = shortContext(t, guard) // from here on: starting clusters has a limit of its own
	r.client = rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(r.client.Close)
	r.create(r.source, topic, queues)
	return r
}

// create makes a topic with that many queues on each broker.
func (r *rig) create(cluster *lab.Cluster, topic string, queues int) {
	r.Helper()
	for _, b := range cluster.Brokers {
		require.NoError(
			r,
			r.client.CreateTopic(r.ctx, b.Addr,
				rocketmq.TopicConfig{Name: topic, ReadQueues: queues, WriteQueues: queues, Perm: 6}),
		)
	}
}

// fill writes n messages to each of the first queues of each broker.
func (r *rig) fill(cluster *lab.Cluster, queues, n int, text string) {
	r.Helper()
	for _, b := range cluster.Brokers {
		for q := range queues {
			batch := rocketmq.BatchRequest{
				Group:         "writer",
				Topic:         r.topic,
				Queue:         q,
				BornTimestamp: time.Now().UnixMilli(),
			}
			for i := range n {
				batch.Messages = append(batch.Messages,
					rocketmq.BatchMessage{Body: fmt.Appendf(nil, "%s %d", text, i), Properties: []byte("KEYS\x01k")})
			}
			require.NoError(r, remoting.Retry(r.ctx, func() error {
				_, err := r.client.SendBatch(r.ctx, b.Addr, batch)
				return err
			}))
		}
	}
}

// stored counts the messages of the topic on a cluster.
func (r *rig) stored(cluster *lab.Cluster) (n int64) {
	r.Helper()
	for _, b := range cluster.Brokers {
		stats, err := r.client.TopicStats(r.ctx, b.Addr, r.topic)
		require.NoError(r, err)
		for _, q := range stats {
			n += q.Max - q.Min
		}
	}
	return n
}

func (r *rig) args(more ...string) []string {
	return append(
		[]string{
			"copy",
			"--source",
			strings.Join(r.source.NameServers, ","),
			"--target",
			strings.Join(r.target.NameServers, ";"),
			"--topic",
			r.topic,
		},
		more...)
}

func (r *rig) copy(more ...string) outcome {
	r.Helper()
	a, stdout, stderr := capture()
	code := a.run(r.ctx, r.args(more...))
	fmt.Fprintf(r.printed, "copy %v ended by %d\n%s%s", more, code, stdout, stderr)
	require.NoError(r, r.ctx.Err(), "it did not end")
	return outcome{code, stdout.String(), stderr.String()}
}

// until waits for a condition.
func (r *rig) until(what string, condition func() bool) {
	r.Helper()
	require.Eventually(r, condition, 3*time.Minute, 20*time.Millisecond, what)
}

// requireUnlocked checks that another copier of the group gets the locks of all queues of the
// target's topic at once: brokers keep one that wasn't given back for a minute.
func (r *rig) requireUnlocked(group string) {
	r.Helper()
	b := r.target.Brokers[0]
	stats, err := r.client.TopicStats(r.ctx, b.Addr, r.topic)
	require.NoError(r, err)
	var all []rocketmq.MessageQueue
	for queue := range stats {
		all = append(all, rocketmq.MessageQueue{Topic: r.topic, Broker: b.Name, Queue: queue})
	}
	got, err := r.client.LockQueues(r.ctx, b.Addr, group, "another copier", all)
	require.NoError(r, err)
	require.ElementsMatch(r, all, got, "the locks were given back")
	require.NoError(r, r.client.UnlockQueues(r.ctx, b.Addr, group, "another copier", all))
}

// documents are the JSON lines of an output.
func documents(t *testing.T, out string) (all []map[string]any) {
	t.Helper()
	for line := range strings.Lines(out) {
		var doc map[string]any
		require.NoError(t, json.Unmarshal([]byte(line), &doc), line)
		all = append(all, doc)
	}
	return all
}
