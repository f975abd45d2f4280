package ledger

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/clusters"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func TestOfTooManyHeldMessagesItIsSaidThatTheyAreOfAllTopics(t *testing.T) {
	own := func(string) bool { return false }
	span := func(n int64) rocketmq.QueueRange { return rocketmq.QueueRange{Min: 7, Max: 7 + n} }
	rest, of := deferred{}.held(t.Context(), rocketmq.Broker{}, scheduleTopic, 0, span(3))
	assert.EqualValues(t, 3, rest)
	assert.Equal(t, "of all topics of the broker", of, "on a source that is retired all count")
	rest, of = deferred{own: own}.held(t.Context(), rocketmq.Broker{}, scheduleTopic, 0, span(mostHeld+1))
	assert.EqualValues(t, mostHeld+1, rest)
	assert.Contains(t, of, "other applications' among them: more than 2000")
	rest, _ = deferred{own: own}.held(t.Context(), rocketmq.Broker{}, scheduleTopic, 0, span(-1))
	assert.EqualValues(t, -1, rest, "which no row shows")
}

func TestTopicsOfTheMigrationAreKnownByTheirNamesOnTheTarget(t *testing.T) {
	one := map[string]rocketmq.TopicConfig{"broker-a": {ReadQueues: 1, WriteQueues: 1}}
	b := &Builder{}
	b.Plan = plan.Plan{Topics: plan.TopicSelection{Selection: plan.Selection{Include: []string{"orders"}}}}
	b.Plan.Groups.Include = []string{"billing"}
	b.Plan.Target.Rename = &plan.Rename{Prefix: "eu-"}
	b.SourceTopics = clusters.TopicTable{"orders": one, "payments": one, "%RETRY%billing": one}
	b.TargetTopics = clusters.TopicTable{"orders": one, "payments": one, "%RETRY%billing": one, "%RETRY%audit": one}
	own := b.ownOnTarget()
	for topic, want := range map[string]bool{
		"eu-orders": true, "orders": false, "eu-payments": false,
		"%RETRY%eu-billing": true, "%RETRY%eu-audit": false,
	} {
		assert.Equal(t, want, own(topic), topic)
	}
}
