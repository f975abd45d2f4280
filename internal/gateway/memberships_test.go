package gateway

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestMembershipsAreReadFromHeartbeats(t *testing.T) {
	beat := `{"clientID":"10.0.0.5@42","consumerDataSet":[{"consumeType":"CONSUME_PASSIVELY","groupName":"a","messageModel":"BROADCASTING","subscriptionDataSet":[]},` +
		`{"groupName":"b","messageModel":"CLUSTERING"}],"producerDataSet":[{"groupName":"p"}]}`
	assert.Equal(t, []membership{{"a", broadcasting}, {"b", "CLUSTERING"}}, readsOf([]byte(beat)))
	assert.Empty(t, readsOf([]byte(`{"clientID":"x"`)))
}
