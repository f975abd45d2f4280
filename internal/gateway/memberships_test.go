package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/bodies"
)

func TestMembershipsAreReadFromHeartbeats(t *testing.T) {
	beat := `{"clientID":"10.0.0.5@42","consumerDataSet":[{"consumeType":"CONSUME_PASSIVELY","groupName":"a","messageModel":"BROADCASTING","subscriptionDataSet":[]},` +
		`{"groupName":"b","messageModel":"CLUSTERING"}],"producerDataSet":[{"groupName":"p"}]}`
	got, err := bodies.ParseHeartbeat([]byte(beat))
	require.NoError(t, err)
	assert.Equal(t,
		[]bodies.Membership{{Group: "a", Model: bodies.Broadcasting}, {Group: "b", Model: "CLUSTERING"}},
		got.Reads)
	assert.Equal(t, "10.0.0.5@42", got.Client)
	assert.Equal(t, "10.0.0.5@42\nreads a\nreads b\nwrites p", got.Identity())
}

// Heartbeats as stock clients write them, captured from their bodies.
func TestHeartbeatsOfStockClientsHaveOneReading(t *testing.T) {
	for name, body := range map[string]string{
		"Java 5.3.3": `{"clientID":"1@2","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"g","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"t"}],"unitMode":false}],"heartbeatFingerprint":0,"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}`,
		"client-go":  `{"clientID":"1@2","producerDataSet":[],"consumerDataSet":[{"groupName":"g","consumeType":"CONSUME_PASSIVELY","messageModel":"Clustering","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","subscriptionDataSet":[],"unitMode":false}]}`,
		"nobody":     `{}`,
	} {
		_, err := bodies.ParseHeartbeat([]byte(body))
		assert.NoError(t, err, name)
	}
}

func TestHeartbeatsThatBrokersMayReadOtherwiseAreRefused(t *testing.T) {
	for _, body := range []string{
		`{"clientID":"a","clientID":"b"}`, `{"clientID":"a","ClientId":"b"}`, `{"client_id":"b"}`, `{"clientID":"a","consumerDataSet":[{"groupName":"a","group-name":"b"}]}`,
		`{"consumerDataSet":[{"GroupName":"b"}]}`, `{"\u0063lientID":"a","clientID":"b"}`,
	} {
		_, err := bodies.ParseHeartbeat([]byte(body))
		assert.ErrorIs(t, err, bodies.ErrTwoReadings, body)
	}
	for _, body := range []string{``, `{`, `{}{}`, `{"clientID":1}`, strings.Repeat(`[`, 1000)} {
		_, err := bodies.ParseHeartbeat([]byte(body))
		assert.Error(t, err, body)
	}
}
