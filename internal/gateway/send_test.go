package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// A broker stores a message that was retried often enough in the dead-letter topic, and answers
// with its place there: moves of the retry topic's queue must not wait for that offset.
func TestWhereADeadLetterIsStoredSaysNothingOfItsRetryTopic(t *testing.T) {
	for topic, acked := range map[string]int64{"%RETRY%billing": 0, "orders": 5001} {
		g := newGuarded(t, "applications: []")
		g.gateway.clients.keys.File = ""
		g.gateway.table.Topics.Ensure(topic).Ensure("broker-a", 1)
		g.source.answer(remoting.CodeSendV2, wire.Reply{
			Fields: []string{"msgId", "x", "queueId", "0", "queueOffset", "5000"},
		})
		g.request(remoting.CodeSendV2, 0, unsignedBy, []string{
			"a", "billing", "b", topic, "e", "0", "j", "16", "l", "16", "i", "",
		}, "body")
		code, _ := g.answer()
		require.Equal(t, remoting.Success, code)
		q := g.gateway.table.Topics.Get([]byte(topic)).Queue([]byte("broker-a"), 0)
		assert.Equal(t, acked, q.Acked(routing.Source), topic)
	}
}
