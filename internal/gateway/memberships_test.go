package gateway

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestMembershipsAreReadFromHeartbeats(t *testing.T) {
	beat := `{"clientID":"10.0.0.5@42","consumerDataSet":[{"consumeType":"CONSUME_PASSIVELY","groupName":"a","messageModel":"BROADCASTING","subscriptionDataSet":[]},` +
		`{"groupName":"b","messageModel":"CLUSTERING"}],"producerDataSet":[{"groupName":"p"}]}`
	got, err := parseBeat([]byte(beat))
	require.NoError(t, err)
	assert.Equal(t, []membership{{"a", broadcasting}, {"b", "CLUSTERING"}}, got.reads)
	assert.Equal(t, "10.0.0.5@42", got.client)
	assert.Equal(t, "10.0.0.5@42\nreads a\nreads b\nwrites p", got.identity())
}

// Heartbeats as stock clients write them, captured from their bodies.
func TestHeartbeatsOfStockClientsHaveOneReading(t *testing.T) {
	for name, body := range map[string]string{
		"Java 5.3.3": `{"clientID":"1@2","consumerDataSet":[{"consumeFromWhere":"CONSUME_FROM_FIRST_OFFSET","consumeType":"CONSUME_PASSIVELY","groupName":"g","messageModel":"CLUSTERING","subscriptionDataSet":[{"classFilterMode":false,"codeSet":[],"expressionType":"TAG","subString":"*","subVersion":1,"tagsSet":[],"topic":"t"}],"unitMode":false}],"heartbeatFingerprint":0,"producerDataSet":[{"groupName":"CLIENT_INNER_PRODUCER"}],"withoutSub":false}`,
		"client-go":  `{"clientID":"1@2","producerDataSet":[],"consumerDataSet":[{"groupName":"g","consumeType":"CONSUME_PASSIVELY","messageModel":"Clustering","consumeFromWhere":"CONSUME_FROM_LAST_OFFSET","subscriptionDataSet":[],"unitMode":false}]}`,
		"nobody":     `{}`,
	} {
		_, err := parseBeat([]byte(body))
		assert.NoError(t, err, name)
	}
}

func TestHeartbeatsThatBrokersMayReadOtherwiseAreRefused(t *testing.T) {
	for _, body := range []string{
		`{"clientID":"a","clientID":"b"}`, `{"clientID":"a","ClientId":"b"}`, `{"client_id":"b"}`, `{"clientID":"a","consumerDataSet":[{"groupName":"a","group-name":"b"}]}`,
		`{"consumerDataSet":[{"GroupName":"b"}]}`, `{"\u0063lientID":"a","clientID":"b"}`,
	} {
		_, err := parseBeat([]byte(body))
		assert.ErrorIs(t, err, errTwoReadings, body)
	}
	for _, body := range []string{``, `{`, `{}{}`, `{"clientID":1}`, strings.Repeat(`[`, 1000)} {
		_, err := parseBeat([]byte(body))
		assert.Error(t, err, body)
	}
}
