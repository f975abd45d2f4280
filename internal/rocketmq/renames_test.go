package rocketmq

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/rocketmq/remoting"
)

func TestRenamesGoThereAndBack(t *testing.T) {
	r := Renames{
		Prefix: "eu-",
		Topics: map[string]string{"orders": "new-orders"},
		Groups: map[string]string{"billing": "b2"},
		Keep:   "rocketshift-",
	}
	for name, own := range map[string]string{
		"orders": "new-orders", "audit": "eu-audit", "%RETRY%billing": "%RETRY%b2",
		"%DLQ%other": "%DLQ%eu-other", "SCHEDULE_TOPIC_XXXX": "SCHEDULE_TOPIC_XXXX",
		"%RETRY%rocketshift-x": "%RETRY%rocketshift-x", "eu-audit": "eu-eu-audit",
	} {
		assert.Equal(t, own, r.Topic(name), name)
		back, known := r.topicHere(own)
		assert.True(t, known, own)
		assert.Equal(t, name, back)
	}
	for _, foreign := range []string{"orders", "audit", "eu-orders", "%RETRY%billing", "%RETRY%eu-billing"} {
		name, known := r.topicHere(foreign)
		assert.False(t, known, "%s is shown as %s", foreign, name)
	}
	for name, own := range map[string]string{"billing": "b2", "x": "eu-x", "TOOLS_CONSUMER": "TOOLS_CONSUMER", "rocketshift-orders-back": "rocketshift-orders-back"} {
		assert.Equal(t, own, r.Group(name), name)
		back, known := r.groupHere(own)
		assert.True(t, known, own)
		assert.Equal(t, name, back)
	}
	for _, foreign := range []string{"billing", "x", "eu-billing"} {
		_, known := r.groupHere(foreign)
		assert.False(t, known, foreign)
	}
}

func TestEveryNameThatIsShownIsTheOneThatLeadsThere(t *testing.T) {
	letters := []string{"a", "b", "ab", "aa", "ba", "a-a"}
	pick := func() string { return letters[rand.IntN(len(letters))] }
	for range 20_000 {
		r := Renames{Topics: map[string]string{pick(): pick(), pick(): pick()}}
		if rand.IntN(2) == 0 {
			r.Prefix = "a"
		}
		own := pick()
		if name, known := r.topicHere(own); known && r.Topic(name) != own {
			t.Fatalf("%+v: %s is shown as %s, which is %s there", r, own, name, r.Topic(name))
		}
		name := pick()
		back, known := r.topicHere(r.Topic(name))
		if clash := r.Topic(back) == r.Topic(name); !known || !clash {
			t.Fatalf("%+v: %s is %s there, and shown as %s (%v)", r, name, r.Topic(name), back, known)
		}
	}
}

func TestRequestsCarryTheClustersNames(t *testing.T) {
	r := Renames{Prefix: "eu-"}
	cmd := &remoting.Command{
		Code:   remoting.CodeStats,
		Fields: map[string]string{"statsName": "GROUP_GET_NUMS", "statsKey": "orders@billing"},
	}
	r.command(cmd)
	assert.Equal(t, "eu-orders@eu-billing", cmd.Fields["statsKey"])
	cmd = &remoting.Command{Code: remoting.CodeSendBatch, Fields: map[string]string{"a": "group", "b": "orders"}}
	r.command(cmd)
	assert.Equal(t, map[string]string{"a": "group", "b": "eu-orders"}, cmd.Fields)
	cmd = &remoting.Command{
		Code:   remoting.CodePull,
		Fields: map[string]string{"consumerGroup": "g", "topic": "t", "queueId": "1"},
	}
	r.command(cmd)
	assert.Equal(t, map[string]string{"consumerGroup": "eu-g", "topic": "eu-t", "queueId": "1"}, cmd.Fields)
	assert.Equal(t, []MessageQueue{{Topic: "eu-t", Broker: "b", Queue: 3}},
		r.queues([]MessageQueue{{Topic: "t", Broker: "b", Queue: 3}}))
}

func TestRetriesSayOfWhichTopicTheyAreByItsNameThere(t *testing.T) {
	r := Renames{Prefix: "eu-"}
	here := []byte("KEYS\x01k\x02RETRY_TOPIC\x01orders\x02TAGS\x01a\x02")
	there := r.retryThere(here)
	value, _ := remoting.PropertyValue(there, remoting.PropRetryTopic)
	assert.Equal(t, "eu-orders", value)
	m := []remoting.Message{{Properties: there}, {Properties: []byte("RETRY_TOPIC\x01foreign\x02")}, {}}
	r.retriesHere("orders", m)
	assert.Equal(t, there, m[0].Properties, "not a retry topic")
	r.retriesHere(RetryTopic("g"), m)
	assert.Equal(t, remoting.PropertyMap(here), remoting.PropertyMap(m[0].Properties))
	assert.Equal(t, "RETRY_TOPIC\x01foreign\x02", string(m[1].Properties))
}
