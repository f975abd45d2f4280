package metadata

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

func TestTypeIsInferredFromWhatMessagesCarry(t *testing.T) {
	with := func(pairs ...string) remoting.Message {
		var properties []remoting.Property
		for i := 0; i < len(pairs); i += 2 {
			properties = append(properties, remoting.Property{Name: pairs[i], Value: pairs[i+1]})
		}
		return remoting.Message{Body: []byte("x"), Properties: remoting.EncodeProperties(properties)}
	}
	normal, keyed := with("KEYS", "k", "UNIQ_KEY", "u"), with("KEYS", "k")
	sharded, delayed := with("__SHARDINGKEY", "k"), with("DELAY", "3", "REAL_TOPIC", "orders")
	half := with("TRAN_MSG", "true", "PGROUP", "p")
	for name, c := range map[string]struct {
		messages []remoting.Message
		want     plan.MessageType
	}{
		"no message":                {nil, plan.TypeNormal},
		"plain messages":            {[]remoting.Message{normal, keyed}, plan.TypeNormal},
		"a sharding key":            {[]remoting.Message{sharded, sharded}, plan.TypeFIFO},
		"delayed":                   {[]remoting.Message{delayed}, plan.TypeDelay},
		"timers of 5.x producers":   {[]remoting.Message{with("TIMER_DELIVER_MS", "1")}, plan.TypeDelay},
		"committed transactions":    {[]remoting.Message{half}, plan.TypeTransaction},
		"a transaction with a key":  {[]remoting.Message{with("__SHARDINGKEY", "k", "TRAN_MSG", "true")}, plan.TypeTransaction},
		"an ended property value":   {[]remoting.Message{with("TRAN_MSG", "false")}, plan.TypeNormal},
		"delayed and plain":         {[]remoting.Message{delayed, normal}, plan.TypeMixed},
		"transactions among others": {[]remoting.Message{normal, half, delayed}, plan.TypeMixed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSample()
			for _, m := range c.messages {
				s.add("broker-a", m)
			}
			assert.Equal(t, c.want, s.MessageType())
		})
	}
}

func TestMessagesWithTheGoClientsKeyAreKeyed(t *testing.T) {
	seen := newSample()
	seen.add(
		"broker-a",
		remoting.Message{
			Properties: remoting.EncodeProperties([]remoting.Property{{Name: "SHARDING_KEY", Value: "k"}}),
		},
	)
	assert.Equal(t, plan.TypeNormal, seen.MessageType(), "5.x proxies don't know the Go client's key")
	assert.True(t, seen.Keyed)
}
