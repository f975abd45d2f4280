package rocketmq

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq/remoting"
)

func TestSubscriptionsTellHowTheyFilter(t *testing.T) {
	for name, c := range map[string]struct {
		text   string
		want   Subscription
		byTags bool
	}{
		"by tags":      {`{"expressionType":"TAG","subString":"a||b"}`, Subscription{Filter: Filter{"TAG", "a||b"}}, true},
		"nothing said": {`{"subString":"*"}`, Subscription{Filter: Filter{"", "*"}}, true},
		"null":         {`{"expressionType":null,"classFilterMode":false}`, Subscription{}, true},
		"by SQL92": {
			`{"expressionType":"SQL92","subString":"a > 1"}`,
			Subscription{Filter: Filter{"SQL92", "a > 1"}},
			false,
		},
		"by a class":    {`{"classFilterMode":true}`, Subscription{ByClass: true}, true},
		"something new": {`{"expressionType":"CEL"}`, Subscription{Filter: Filter{"CEL", ""}}, false},
	} {
		t.Run(name, func(t *testing.T) {
			of, err := remoting.ParseObject([]byte(c.text))
			require.NoError(t, err)
			got := readSubscription("", of)
			assert.Equal(t, c.want, got)
			assert.Equal(t, c.byTags, got.ByTags())
		})
	}
}
