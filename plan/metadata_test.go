package plan

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestADecisionIsTheObjectsOwnOrThatOfAll(t *testing.T) {
	m := mustParse(
		t,
		edited(t, "metadata", `{"conflicts":"keep","topics":{"a":"change"},"groups":{"g":"refuse"}}`),
	).Metadata
	assert.Equal(t, DecisionChange, m.TopicDecision("a"))
	assert.Equal(t, DecisionKeep, m.TopicDecision("b"))
	assert.Equal(t, DecisionRefuse, m.GroupDecision("g"))
	assert.Equal(t, DecisionRefuse, Metadata{}.GroupDecision("g"), "absent, nothing is changed")
}

func TestBadDecisionsAreRefused(t *testing.T) {
	for text, says := range map[string]string{
		`{"conflicts":"overwrite"}`:     `metadata.conflicts: "overwrite"; allowed: refuse, keep, change`,
		`{"topics":{"a":""}}`:           "metadata.topics.a: missing or empty",
		`{"topics":{"a*":"keep"}}`:      "without wildcards",
		`{"drift":"ignore"}`:            "metadata.drift: \"ignore\"; allowed: report, follow",
		`{"kv":["ORDER_TOPIC_CONFIG"]}`: "brought over by itself",
		`{"other":1}`:                   "metadata.other: unknown key",
	} {
		_, err := Parse([]byte(edited(t, "metadata", text)))
		assert.ErrorContains(t, err, says)
	}
}
