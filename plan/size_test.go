package plan

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestAPlanThatListsThousandsOfNamesIsTooLargeToBegin(t *testing.T) {
	p := Plan{Name: "orders", Topics: TopicSelection{Selection: Selection{Include: []string{"orders-*"}}}}
	require.NoError(t, p.WithDefaults().CheckSize())
	for i := range 2000 {
		p.Topics.Include = append(p.Topics.Include, fmt.Sprintf("orders-europe-%06d", i))
	}
	assert.ErrorContains(t, p.CheckSize(), "at most are 32768: every step of a migration keeps it")
	assert.ErrorContains(t, p.CheckSize(), "globs")
}
