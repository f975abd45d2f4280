package metadata

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/rocketmq/remoting"
)

func TestASampleTellsHowLargeMessagesAreAndWhatTheyAreFor(t *testing.T) {
	seen := newSample()
	add := func(body string, properties ...remoting.Property) {
		seen.add("broker-a", remoting.Message{Body: []byte(body), Properties: remoting.EncodeProperties(properties)})
	}
	add(strings.Repeat("x", 900), remoting.Property{Name: "KEYS", Value: "k"})
	add("ask", remoting.Property{Name: "CORRELATION_ID", Value: "1"}, remoting.Property{Name: "TTL", Value: "3000"})
	add(
		"told",
		remoting.Property{Name: "CORRELATION_ID", Value: "1"},
		remoting.Property{Name: "MSG_TYPE", Value: "reply"},
	)
	add("Pub\x011733000000000\x01DefaultRegion\x01")
	add("Public notice")
	assert.Equal(t, Extent{
		Body: 900, Properties: len("CORRELATION_ID..1.MSG_TYPE.reply"), Entries: 2, Requests: 1, Replies: 1, Traces: 1,
	}, seen.Extent)
}
