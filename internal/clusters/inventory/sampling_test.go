package inventory

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/internal/rocketmq"
)

func TestWithThousandsOfTopicsSmallOnesAreLookedIntoLess(t *testing.T) {
	many := func(n int) *look {
		return shop(func(inv *look) {
			inv.plan.Topics.Ordered = []string{"small-0000"}
			for i := range n {
				name := fmt.Sprintf("small-%04d", i)
				inv.topics[name] = map[string]rocketmq.TopicConfig{"broker-a": {ReadQueues: 1, WriteQueues: 1, Perm: 6}}
				inv.messages[name] = int64(i%3) + 1
			}
			inv.messages["small-0003"] = 0
			inv.shortly = inv.lessSampled()
		})
	}
	inv := many(wellSampled + 500)
	assert.Len(t, inv.shortly, 502-2, "but for the ordered one, and the one without messages")
	assert.False(t, inv.shortly["orders"], "it is one of the largest")
	assert.False(t, inv.shortly["small-0000"], "its order matters")
	assert.True(t, inv.shortly["small-0006"])
	found := inv.samplingFindings()
	require.Len(t, found, 1)
	assert.Contains(t, found[0].Cause, "the 1000 largest and the ordered ones were looked into well; of 500 others")

	assert.Empty(t, many(wellSampled-2).samplingFindings())
}
