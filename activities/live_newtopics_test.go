package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/metadata"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

func TestLongTopicsAndQueuesThatTheSourceGetsAreBroughtOver(t *testing.T) {
	r := newRig(t, "new")
	r.settings.Look = 200 * time.Millisecond
	orders := r.plan.Name + "-orders"
	broker, target := r.brokers(r.source)[0], r.brokers(r.target)[0]
	config := rocketmq.TopicConfig{
		Name:        orders,
		ReadQueues:  2,
		WriteQueues: 2,
		Perm:        rocketmq.PermRead | rocketmq.PermWrite,
		FilterType:  "SINGLE_TAG",
	}
	require.NoError(t, r.source.Client().CreateTopic(r.ctx, broker.Addr, config)) // on one broker
	r.importAll([]string{orders}, nil, nil)
	r.fill(orders, 3)
	r.replicate()
	replicated := func(topics ...string) {
		r.must(NewReplication(r.settings), "AwaitDrained",
			TopicsRequest{Request: r.request(), Side: api.Source, Topics: api.Some(topics...)}, nil)
		var verified api.Verification
		r.must(NewVerifier(r.settings), "Verify",
			VerifyRequest{Request: r.request(), Topics: api.Some(topics...)}, &verified)
		assert.True(t, verified.Clean(), "%+v", verified)
	}
	replicated(orders)

	config.ReadQueues, config.WriteQueues = 5, 5
	require.NoError(t, r.source.Client().CreateTopic(r.ctx, broker.Addr, config))
	r.fill(orders, 2)
	r.eventually("the target has as many queues", func() bool { return len(r.targetQueues(orders)) == 5 })
	replicated(orders)

	clicks := r.topic("clicks", 2) // on both brokers
	r.produce(r.source, broker.Name, clicks, 1, 4, remoting.Property{Name: remoting.PropDelay, Value: "1"})
	r.eventually("the target has the new topic", func() bool { return len(r.targetQueues(clicks)) == 4 })
	replicated(orders, clicks)
	last := r.brokers(r.source)[1]
	config.Name, config.ReadQueues, config.WriteQueues = clicks, 4, 4
	require.NoError(t, r.source.Client().CreateTopic(r.ctx, last.Addr, config)) // two more behind all others
	r.fill(clicks, 2)
	r.eventually("the target has as many queues", func() bool { return len(r.targetQueues(clicks)) == 6 })
	replicated(orders, clicks)
	configs, err := r.target.Client().TopicConfigs(r.ctx, target.Addr)
	require.NoError(t, err)
	assert.Contains(t, []plan.MessageType{plan.TypeNormal, plan.TypeDelay}, metadata.MessageType(configs[clicks]),
		"what its first messages show, if there are any")
}

// targetQueues are the queue ids that the topic has on the target's first broker.
func (r *rig) targetQueues(topic string) (ids []int) {
	configs, err := r.target.Client().TopicConfigs(r.ctx, r.brokers(r.target)[0].Addr)
	require.NoError(r, err)
	for id := range configs[topic].ReadQueues {
		ids = append(ids, id)
	}
	return ids
}
