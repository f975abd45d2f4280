package rocketmq

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSubscriptionsTellHowTheyFilter(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want ConsumerConnections
	}{
		"by tags":       {`{"expressionType":"TAG","subString":"a||b"}`, ConsumerConnections{}},
		"nothing said":  {`{"subString":"*"}`, ConsumerConnections{}},
		"null":          {`{"expressionType":null,"classFilterMode":false}`, ConsumerConnections{}},
		"by SQL92":      {`{"expressionType":"SQL92"}`, ConsumerConnections{Expressions: []string{"SQL92"}}},
		"by a class":    {`{"classFilterMode":true}`, ConsumerConnections{ByClass: true}},
		"something new": {`{"expressionType":"CEL"}`, ConsumerConnections{Expressions: []string{"CEL"}}},
	} {
		t.Run(name, func(t *testing.T) {
			subscription, err := parseObject([]byte(c.text))
			require.NoError(t, err)
			var got ConsumerConnections
			got.note(subscription)
			got.note(subscription)
			assert.Equal(t, c.want, got)
		})
	}
}
