package main

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/lab/labtest"
	"rocketshift/internal/rocketmq"
)

// Names of topics that are wrong, ids under which copies aren't known, and places of earlier copies
// were told one after the other, and looking for them made the copy's group.
func TestLiveAllProblemsOfACopyAreToldAtOnceAndNothingIsWritten(t *testing.T) {
	r := newRig(t, "copy-at-once", 1)
	r.fill(r.source, 1, 3, "original")
	require.Equal(t, failure.Done, r.copy("--create-topics").code)
	r.fill(r.target, 1, 40, "native") // before, these hid the copies
	o := r.copy("--create-topics", "--source-id", "other", "--name", "at-once", "--topic",
		"starter-copy-at-once-nowhere")
	require.Equal(t, failure.BadUsage, o.code, o.stdout)
	assert.Contains(t, o.stderr, "copy has 2 problems:\n")
	assert.Contains(t, o.stderr, "topic starter-copy-at-once-nowhere: is missing on the source")
	assert.Contains(t, o.stderr, "holds copies that were made under the source's id ")
	for _, b := range append(r.source.Brokers, r.target.Brokers...) {
		groups, err := r.client.Groups(r.ctx, b.Addr)
		require.NoError(t, err)
		assert.NotContains(t, groups, "rocketshift-copy-at-once")
	}
}

// A run that is cut off while it creates a topic leaves it on some brokers; the next one refused
// that as a topic with too few queues.
func TestLiveACopyThatWasCutOffWhileItCreatedATopicGoesOn(t *testing.T) {
	r := newRigBetween(t, "copy-cut-off", 5, labtest.Cluster(t, "5.3.3"), labtest.Cluster(t, "4.9.7"))
	r.fill(r.source, 5, 4, "original")
	first, second := r.target.Brokers[0], r.target.Brokers[1]
	share := rocketmq.TopicConfig{Name: r.topic, ReadQueues: 3, WriteQueues: 3, Perm: 6}
	require.NoError(t, r.client.CreateTopic(r.ctx, first.Addr, share))

	o := r.copy("--create-topics")
	require.Equal(t, failure.Done, o.code, o.stderr)
	assert.Contains(t, o.stdout, "created topic "+r.topic)
	assert.Contains(t, o.stdout, "Copied     20 messages in 5 lanes")
	topics, err := r.client.TopicConfigs(r.ctx, second.Addr)
	require.NoError(t, err)
	assert.Equal(t, 2, topics[r.topic].ReadQueues)
	assert.EqualValues(t, 20, r.stored(r.target))
}

// What somebody else made with too few queues isn't taken for it.
func TestLiveATopicWithTooFewQueuesIsNoneThatWasCutOff(t *testing.T) {
	r := newRigBetween(t, "copy-few", 5, labtest.Cluster(t, "5.3.3"), labtest.Cluster(t, "4.9.7"))
	few := rocketmq.TopicConfig{Name: r.topic, ReadQueues: 4, WriteQueues: 4, Perm: 6}
	require.NoError(t, r.client.CreateTopic(r.ctx, r.target.Brokers[0].Addr, few))
	o := r.copy("--create-topics")
	require.Equal(t, failure.BadUsage, o.code, o.stdout)
	assert.Contains(t, o.stderr, "the source has 5 queues")
}
