package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
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

// rig is two real clusters and a topic of the test's own on the source.
type rig struct {
	*testing.T
	ctx            context.Context
	source, target *lab.Cluster
	client         *rocketmq.Client
	topic          string
}

func newRig(t *testing.T, topic string, queues int) *rig {
	t.Helper()
	r := &rig{T: t, ctx: shortContext(t, time.Minute), source: labtest.Cluster(t, "4.9.7"), target: labtest.Cluster(t, "5.3.3"), topic: topic}
	r.client = rocketmq.NewClient(rocketmq.Options{})
	t.Cleanup(r.client.Close)
	r.create(r.source, topic, queues)
	return r
}

// create makes a topic with that many queues on each broker.
func (r *rig) create(cluster *lab.Cluster, topic string, queues int) {
	r.Helper()
	for _, b := range cluster.Brokers {
		require.NoError(r, r.client.CreateTopic(r.ctx, b.Addr, rocketmq.TopicConfig{Name: topic, ReadQueues: queues, WriteQueues: queues, Perm: 6}))
	}
}

// fill writes n messages to each of the first queues of each broker.
func (r *rig) fill(cluster *lab.Cluster, queues, n int, text string) {
	r.Helper()
	for _, b := range cluster.Brokers {
		for q := range queues {
			batch := rocketmq.BatchRequest{Group: "writer", Topic: r.topic, Queue: q, BornTimestamp: time.Now().UnixMilli()}
			for i := range n {
				batch.Messages = append(batch.Messages, rocketmq.BatchMessage{Body: fmt.Appendf(nil, "%s %d", text, i), Properties: []byte("KEYS\x01k")})
			}
			require.NoError(r, rocketmq.Retry(r.ctx, func() error {
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
	return append([]string{"copy", "--source", strings.Join(r.source.NameServers, ","), "--target", strings.Join(r.target.NameServers, ";"), "--topic", r.topic}, more...)
}

func (r *rig) copy(more ...string) outcome {
	r.Helper()
	a, stdout, stderr := capture()
	code := a.run(r.ctx, r.args(more...))
	require.NoError(r, r.ctx.Err(), "it did not end: %s%s", stdout, stderr)
	return outcome{code, stdout.String(), stderr.String()}
}

// until waits for a condition.
func (r *rig) until(what string, condition func() bool) {
	r.Helper()
	require.Eventually(r, condition, 40*time.Second, 20*time.Millisecond, what)
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

func TestLiveACopyCreatesTheTopicCopiesTheHistoryAndGoesOnWhenRunAgain(t *testing.T) {
	r := newRig(t, "copy-again", 3)
	r.fill(r.source, 3, 50, "history")
	o := r.copy("--create-topics")
	t.Log(o.stdout)
	require.Equal(t, exitDone, o.code, o.stderr)
	for _, want := range []string{
		"created topic copy-again on the target with 6 queues", "copying copy-again in 6 lanes from source ", "300 of 300 messages copied",
		"Compared   300 copies: 0 missing, 0 extra, 0 altered, 0 out of order", "Verdict    clean",
	} {
		assert.Contains(t, o.stdout, want)
	}
	assert.EqualValues(t, 300, r.stored(r.target))

	r.fill(r.source, 2, 25, "later")
	o = r.copy("-o", "json")
	require.Equal(t, exitDone, o.code, o.stderr)
	docs := documents(t, o.stdout)
	require.GreaterOrEqual(t, len(docs), 2)
	assert.EqualValues(t, 100, docs[0]["total"], "what has copies already isn't copied")
	verdict := docs[len(docs)-1]
	assert.Equal(t, "clean", verdict["verdict"])
	assert.EqualValues(t, 100, verdict["copied"])
	assert.EqualValues(t, 400, verdict["compared"])
	assert.EqualValues(t, 0, verdict["exitCode"])
	assert.EqualValues(t, 400, r.stored(r.target), "nothing is repeated")

	o = r.copy()
	require.Equal(t, exitDone, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Copied     0 messages")
	assert.EqualValues(t, 400, r.stored(r.target))
}

func TestLiveAltogetherWrongTopicsAreToldAtOnceAndNothingIsWritten(t *testing.T) {
	r := newRig(t, "copy-wrong", 2)
	r.create(r.target, "copy-unequal", 3)
	r.create(r.source, "copy-unequal", 2)
	wrong := []string{"--topic", "copy-unequal", "--topic", "copy-nowhere", "--topic", "TBW102"}
	o := r.copy(wrong...)
	t.Log(o.stderr)
	assert.Equal(t, exitUsage, o.code)
	for _, want := range []string{
		"copy has 4 problems:\n",
		"  topic copy-wrong: is missing on the target " + r.target.NameServers[0] + "; add --create-topics, or create it there with 4 queues\n",
		"  topic copy-unequal: the source has 4 queues (broker-a 2, broker-b 2) and the target 3",
		"  topic copy-nowhere: is missing on the source " + r.source.NameServers[0] + "; correct the name",
		"  topic TBW102: is RocketMQ's own",
	} {
		assert.Contains(t, o.stderr, want)
	}
	o = r.copy(append(wrong, "--create-topics")...)
	assert.Contains(t, o.stderr, "copy has 3 problems:\n")
	topics, err := r.client.TopicConfigs(r.ctx, r.target.Brokers[0].Addr)
	require.NoError(t, err)
	assert.NotContains(t, topics, "copy-wrong", "nothing is created while another topic is wrong")

	o = r.copy("--target", r.source.Brokers[0].Addr)
	assert.NotEqual(t, exitDone, o.code, "a broker is no name server of another cluster")
}

func TestLiveOneClusterOnBothSidesIsRefusedHoweverItIsAddressed(t *testing.T) {
	source := labtest.Cluster(t, "4.9.7")
	_, port, _ := strings.Cut(source.NameServers[0], ":")
	a, _, stderr := capture()
	code := a.run(shortContext(t, time.Minute), []string{"copy", "--source", source.NameServers[0], "--target", "127.0.0.2:" + port, "--topic", "t"})
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, stderr.String(), "source and target are the same cluster: broker broker-a")
}

func TestLiveACopyThatFollowsStopsCleanlyAndIsTakenUpAtOnce(t *testing.T) {
	r := newRig(t, "copy-follow", 1)
	ctx, cancel := context.WithCancel(r.ctx)
	a, stdout, stderr := capture()
	ended := make(chan int, 1)
	go func() { ended <- a.run(ctx, r.args("--create-topics", "--follow", "-o", "json")) }()
	r.until("the lanes follow", func() bool { return strings.Contains(stdout.String(), `"lanes":2,"caughtUp":2`) })
	r.fill(r.source, 1, 40, "while it follows")
	r.until("what came is copied", func() bool { return strings.Contains(stdout.String(), `"copied":80,"lag":0`) })
	cancel()
	require.Equal(t, exitDone, <-ended, stderr)
	docs := documents(t, stdout.String())
	verdict := docs[len(docs)-1]
	assert.Equal(t, "stopped", verdict["verdict"])
	assert.EqualValues(t, 80, verdict["copied"])

	began := time.Now()
	o := r.copy()
	require.Equal(t, exitDone, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Copied     0 messages")
	assert.Contains(t, o.stdout, "Compared   80 copies: 0 missing")
	assert.NotContains(t, o.stdout, "locked by another copier", "the locks were given back")
	assert.Less(t, time.Since(began), 20*time.Second)
}

func TestLiveDifferencesEndACopyWithTheirOwnExitCode(t *testing.T) {
	r := newRig(t, "copy-differs", 1)
	r.fill(r.source, 1, 10, "original")
	require.Equal(t, exitDone, r.copy("--create-topics").code)
	target := r.target.Brokers[0]
	pulled, err := r.client.Pull(r.ctx, target.Addr, rocketmq.PullRequest{Group: "reader", Topic: r.topic, Offset: 9, Max: 1})
	require.NoError(t, err)
	require.Len(t, pulled.Messages, 1)
	again := pulled.Messages[0]
	_, err = r.client.SendBatch(r.ctx, target.Addr, rocketmq.BatchRequest{
		Group: "writer", Topic: r.topic, BornTimestamp: again.BornTimestamp,
		Messages: []rocketmq.BatchMessage{{Flag: again.Flag, Body: again.Body, Properties: again.Properties}},
	})
	require.NoError(t, err)
	o := r.copy()
	t.Log(o.stdout)
	assert.Equal(t, exitDiffers, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Compared   20 copies: 0 missing, 1 extra, 0 altered, 0 out of order")
	assert.Contains(t, o.stdout, "Verdict    differences")
}

func TestLiveBothWaysBringsWhatWasWrittenOnTheTarget(t *testing.T) {
	r := newRig(t, "copy-both", 1)
	r.fill(r.source, 1, 20, "source")
	o := r.copy("--create-topics", "--both-ways", "-o", "json")
	require.Equal(t, exitDone, o.code, o.stderr)
	for q := range 2 {
		_, err := r.client.SendBatch(r.ctx, r.target.Brokers[0].Addr, rocketmq.BatchRequest{
			Group: "writer", Topic: r.topic, Queue: q, BornTimestamp: time.Now().UnixMilli(), Messages: []rocketmq.BatchMessage{{Body: []byte("native")}},
		})
		require.NoError(t, err)
	}
	r.fill(r.source, 1, 5, "more")
	o = r.copy("--both-ways")
	t.Log(o.stdout)
	require.Equal(t, exitDone, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Back       2 messages copied to the source, 0 left")
	assert.Contains(t, o.stdout, "Compared   50 copies: 0 missing, 0 extra")
	assert.EqualValues(t, 52, r.stored(r.source))
	assert.EqualValues(t, 52, r.stored(r.target))
}

func TestLiveSigtermEndsACopyInGoodOrder(t *testing.T) {
	r := newRig(t, "copy-signal", 1)
	out := &buffer{}
	c := program(r.ctx, r.args("--create-topics", "--follow")...)
	c.Stdout, c.Stderr = out, out
	require.NoError(t, c.Start())
	r.until("the lanes follow", func() bool { return strings.Contains(out.String(), "lanes caught up") })
	require.NoError(t, c.Process.Signal(syscall.SIGTERM))
	require.NoError(t, c.Wait(), out)
	assert.Contains(t, out.String(), "Verdict    stopped")
}
