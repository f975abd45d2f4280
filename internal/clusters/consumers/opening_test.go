package consumers

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"rocketshift/internal/rocketmq"
)

// The mark of a fence may be on the broker that is down.
func TestWhileABrokerIsDownOnlyMarkedGroupsAreOpened(t *testing.T) {
	brokers := []rocketmq.Broker{{Name: "a"}, {Name: "b"}}
	marks := Fences{"ours": {"a": MarkFenced}}
	for name, c := range map[string]struct {
		Opening
		group string
		want  []rocketmq.Broker
	}{
		"all answer, marked": {
			Opening{Enable: true, Ours: true, marks: marks}, "ours", brokers[:1],
		},
		"all answer, no mark": {
			Opening{Enable: true, Ours: true, marks: marks}, "other", brokers,
		},
		"one is down, marked": {
			Opening{Enable: true, Ours: true, partly: true, marks: marks}, "ours", brokers[:1],
		},
		"one is down, no mark": {
			Opening{Enable: true, Ours: true, partly: true, marks: marks}, "other", nil,
		},
		"one is down, on the target": {Opening{Enable: true, partly: true}, "ours", brokers},
		"a fence is set on all":      {Opening{Ours: true, marks: marks}, "ours", brokers},
	} {
		assert.ElementsMatch(t, c.want, c.on(brokers, c.group), name)
	}
}
