package main

import (
	"context"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/copyjob"
	"rocketshift/internal/failure"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

func TestLiveACopyCreatesTheTopicCopiesTheHistoryAndGoesOnWhenRunAgain(t *testing.T) {
	r := newRig(t, "copy-again", 3)
	r.fill(r.source, 3, 50, "history")
	o := r.copy("--create-topics")
	require.Equal(t, failure.Done, o.code, o.stderr)
	for _, want := range []string{
		"created topic starter-copy-again on the target with 6 queues", "copying starter-copy-again in 6 " +
			"lanes from source ", "Copied     300 messages in 6 lanes",
		"Compared   300 copies: 0 missing, 0 extra, 0 altered, 0 out of order", "Verdict    clean",
	} {
		assert.Contains(t, o.stdout, want)
	}
	assert.EqualValues(t, 300, r.stored(r.target))

	r.fill(r.source, 2, 25, "later")
	o = r.copy("-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
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
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Copied     0 messages")
	assert.EqualValues(t, 400, r.stored(r.target))
}

func TestLiveACopyMayGiveItsTopicAnotherName(t *testing.T) {
	r := newRig(t, "copy-renamed", 2)
	r.fill(r.source, 2, 20, "history")
	o := r.copy("--create-topics", "--prefix", "eu-")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Verdict    clean")
	r.topic = "eu-starter-copy-renamed"
	assert.EqualValues(t, 80, r.stored(r.target))
}

func TestLiveAltogetherWrongTopicsAreToldAtOnceAndNothingIsWritten(t *testing.T) {
	r := newRig(t, "copy-wrong", 2)
	r.create(r.target, "starter-copy-unequal", 3)
	r.create(r.source, "starter-copy-unequal", 2)
	wrong := []string{"--topic", "starter-copy-unequal", "--topic", "starter-copy-nowhere", "--topic", "TBW102"}
	o := r.copy(wrong...)
	assert.Equal(t, failure.BadUsage, o.code)
	for _, want := range []string{
		"copy has 4 problems:\n",
		"  topic starter-copy-wrong: is missing on the target " + r.target.NameServers[0] + "; add --create-topics, or create it there with 4 queues\n",
		"  topic starter-copy-unequal: the source has 4 queues (broker-a 2, broker-b 2) and the target 3",
		"  topic starter-copy-nowhere: is missing on the source " + r.source.NameServers[0] + "; correct the name",
		"  topic TBW102: is RocketMQ's own",
	} {
		assert.Contains(t, o.stderr, want)
	}
	o = r.copy(append(wrong, "--create-topics")...)
	assert.Contains(t, o.stderr, "copy has 3 problems:\n")
	topics, err := r.client.TopicConfigs(r.ctx, r.target.Brokers[0].Addr)
	require.NoError(t, err)
	assert.NotContains(t, topics, "starter-copy-wrong", "nothing is created while another topic is wrong")

	o = r.copy("--target", r.source.Brokers[0].Addr)
	assert.NotEqual(t, failure.Done, o.code, "a broker is no name server of another cluster")
}

func TestLiveOneClusterOnBothSidesIsRefusedHoweverItIsAddressed(t *testing.T) {
	source := labtest.Cluster(t, "4.9.7")
	_, port, _ := strings.Cut(source.NameServers[0], ":")
	a, _, stderr := capture()
	code := a.run(shortContext(t, guard),
		[]string{"copy", "--source", source.NameServers[0], "--target", "127.0.0.2:" + port, "--topic", "t"})
	assert.Equal(t, failure.BadUsage, code)
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
	require.Equal(t, failure.Done, <-ended, stderr)
	docs := documents(t, stdout.String())
	verdict := docs[len(docs)-1]
	assert.Equal(t, "stopped", verdict["verdict"])
	assert.EqualValues(t, 80, verdict["copied"])

	r.requireUnlocked(
		"rocketshift-copy-" + copyjob.NameOf(plan.ClusterID(r.source.NameServers),
			plan.ClusterID(r.target.NameServers)),
	)
	o := r.copy()
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Copied     0 messages")
	assert.Contains(t, o.stdout, "Compared   80 copies: 0 missing")
	assert.NotContains(t, o.stdout, "locked by another copier", "the locks were given back")
}

func TestLiveDifferencesEndACopyWithTheirOwnExitCode(t *testing.T) {
	r := newRig(t, "copy-differs", 1)
	r.fill(r.source, 1, 10, "original")
	require.Equal(t, failure.Done, r.copy("--create-topics").code)
	target := r.target.Brokers[0]
	pulled, err := r.client.Pull(r.ctx, target.Addr,
		rocketmq.PullRequest{Group: "reader", Topic: r.topic, Offset: 9, Max: 1})
	require.NoError(t, err)
	require.Len(t, pulled.Messages, 1)
	again := pulled.Messages[0]
	_, err = r.client.SendBatch(r.ctx, target.Addr, rocketmq.BatchRequest{
		Group: "writer", Topic: r.topic, BornTimestamp: again.BornTimestamp,
		Messages: []rocketmq.BatchMessage{{Flag: again.Flag, Body: again.Body, Properties: again.Properties}},
	})
	require.NoError(t, err)
	o := r.copy()
	assert.Equal(t, failure.Differs, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Compared   20 copies: 0 missing, 1 extra, 0 altered, 0 out of order")
	assert.Contains(t, o.stdout, "Verdict    differences")
}

func TestLiveBothWaysBringsWhatWasWrittenOnTheTarget(t *testing.T) {
	r := newRig(t, "copy-both", 1)
	r.create(r.target, r.topic, 2)
	r.fill(r.target, 2, 3, "before the first copy: of others, and stays there")
	r.fill(r.source, 1, 10, "source")
	o := r.copy("--both-ways", "-o", "json")
	require.Equal(t, failure.Done, o.code, o.stderr)
	for q := range 2 {
		_, err := r.client.SendBatch(r.ctx, r.target.Brokers[0].Addr, rocketmq.BatchRequest{
			Group: "writer", Topic: r.topic, Queue: q, BornTimestamp: time.Now().UnixMilli(),
			Messages: []rocketmq.BatchMessage{{Body: []byte("native")}},
		})
		require.NoError(t, err)
	}
	r.fill(r.source, 1, 5, "more")
	o = r.copy("--both-ways")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Back       2 messages copied to the source, 0 left")
	assert.Contains(t, o.stdout, "Compared   30 copies, 2 back on the source: 0 missing, 0 extra")
	assert.EqualValues(t, 32, r.stored(r.source))
	assert.EqualValues(t, 38, r.stored(r.target))
}

func TestLiveOtherIDsAreRefusedBeforeEverythingIsCopiedAgain(t *testing.T) {
	r := newRig(t, "copy-ids", 1)
	r.fill(r.source, 1, 10, "original")
	require.Equal(t, failure.Done, r.copy("--create-topics").code)
	o := r.copy("--source-id", "other")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr,
		"copy: --source-id: target queue broker-a/0 of topic starter-copy-ids holds copies that were made "+
			"under the source's id ")
	o = r.copy("--target-id", "other")
	assert.Equal(t, failure.BadUsage, o.code)
	assert.Contains(t, o.stderr, "holds copies that were made under another id of the target than other")
	o = r.copy("--name", "another")
	assert.Equal(t, failure.Done, o.code, "the same copies under another name are known: %s", o.stderr)
	assert.EqualValues(t, 20, r.stored(r.target))
}

func TestLiveACopyAfterAWayBackIsClean(t *testing.T) {
	r := newRig(t, "copy-after-back", 1)
	r.fill(r.source, 1, 10, "source")
	require.Equal(t, failure.Done, r.copy("--create-topics", "--both-ways").code)
	born := time.Now().UnixMilli()
	for i := range 5 {
		_, err := r.client.SendBatch(r.ctx, r.target.Brokers[0].Addr, rocketmq.BatchRequest{
			Group: "writer", Topic: r.topic, BornTimestamp: born + int64(100*i),
			Messages: []rocketmq.BatchMessage{{Body: []byte("native")}},
		})
		require.NoError(t, err)
	}
	for _, flags := range [][]string{{"--both-ways"}, {"--both-ways"}, {}} {
		o := r.copy(flags...)
		assert.Equal(t, failure.Done, o.code, "%v: %s%s", flags, o.stdout, o.stderr)
	}
}

func TestLiveALaneThatStopsSaysWhatToDoAndTheOthersAreCopiedAndCompared(t *testing.T) {
	r := newRig(t, "copy-fault", 1)
	r.fill(r.source, 1, 10, "original")
	_, err := r.client.SendBatch(r.ctx, r.source.Brokers[0].Addr, rocketmq.BatchRequest{
		Group: "writer", Topic: r.topic, BornTimestamp: time.Now().UnixMilli(),
		Messages: []rocketmq.BatchMessage{
			{
				Body:       []byte("no room for a stamp"),
				Properties: remoting.AppendProperty(nil, "long", strings.Repeat("x", remoting.MaxProperties-20)),
			},
		},
	})
	require.NoError(t, err)
	o := r.copy("--create-topics")
	assert.Equal(t, failure.Differs, o.code, o.stderr)
	assert.Contains(t, o.stdout,
		"fault: PropertiesTooLong: topic starter-copy-fault, source queue broker-a/0, offsets 10 to 11: ")
	assert.Contains(t, o.stdout, ". Skip the message, leave the topic out, or wait until it has expired")
	assert.Contains(t, o.stdout, "Compared   20 copies: 0 missing")
	assert.Contains(t, o.stdout, "Verdict    faults")
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

func TestLiveACopyGoesToATargetBehindAProxy(t *testing.T) {
	r := newRig(t, "copy-proxied", 2)
	r.fill(r.source, 2, 40, "history")
	through := func() outcome {
		a, stdout, stderr := capture()
		code := a.run(r.ctx, []string{
			"copy",
			"--source",
			strings.Join(r.source.NameServers, ","),
			"--target-proxy",
			r.target.ProxyRemoting,
			"--topic",
			r.topic,
		})
		return outcome{code, stdout.String(), stderr.String()}
	}
	o := through()
	require.Equal(t, failure.BadUsage, o.code, o.stdout)
	assert.Contains(t, o.stderr,
		"topic starter-copy-proxied: is missing on the target "+r.target.ProxyRemoting+"; create it with 4 "+
			"queues by the target's console or API")
	r.create(r.target, r.topic, 4)
	r.until("the proxy knows the topic", func() bool { o = through(); return o.code != failure.BadUsage })
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "Copied     160 messages in 4 lanes")
	assert.Contains(t, o.stdout, "Verdict    clean")
	assert.EqualValues(t, 160, r.stored(r.target))
}
