package names

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

func judged(t *testing.T, seen facts.Facts) []api.Finding {
	t.Helper()
	all, err := Find(t.Context(), facts.Sides{}, seen)
	require.NoError(t, err)
	return all
}

func TestNothingIsFoundOfNamesThatEveryoneTakes(t *testing.T) {
	seen := facts.Facts{TopicNames: []string{"orders", strings.Repeat("t", 60)}, GroupNames: []string{"GID_billing"}}
	assert.Empty(t, judged(t, seen))
	seen.Plan.Target.Proxy = "127.0.0.1:8080"
	assert.Empty(t, judged(t, seen))
}

func TestNamesThatManagedInstancesDontTakeAreRefusedBehindAProxy(t *testing.T) {
	long := strings.Repeat("t", 61)
	seen := facts.Facts{
		TopicNames: []string{long, "a%b", "rocketmq-proxy-x", "asks_REPLY_TOPIC"},
		GroupNames: []string{long},
	}
	for _, f := range judged(t, seen) {
		assert.Equal(t, api.SeverityAdvice, f.Level(), "%+v", f)
	}
	seen.Plan.Target.Proxy = "127.0.0.1:8080"
	found := judged(t, seen)
	refused := 0
	for _, f := range found {
		if f.Refusal {
			refused++
			assert.Equal(t, "name-managed", f.ID)
		}
	}
	assert.Equal(t, 5, refused, "%+v", found)
	assert.Equal(t, "rename-map", found[4].ID, "%+v", found)
	assert.Contains(t, found[4].Cause, `"a%b": a-b-`)
}

func TestANameThatThePlanChangesIsTheNewOne(t *testing.T) {
	seen := facts.Facts{TopicNames: []string{"a%b"}}
	seen.Plan.Target.Rename = &plan.Rename{Topics: map[string]string{"a%b": "ab"}}
	assert.Empty(t, judged(t, seen))
}

func TestProposedNamesAreTakenEverywhereAndDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, name := range []string{
		"eu.orders", "eu/orders", "eu orders", strings.Repeat("x", 127), strings.Repeat("x", 126) + "y", "%RETRY%a",
		"rmq_sys_a", "a_REPLY_TOPIC", "__", "", "日本", strings.Repeat("%", 120), "rmq_sys_rmq_sys__REPLY_TOPIC_REPLY_TOPIC",
	} {
		own := Propose(name)
		assert.Empty(t, Managed(own), "%q of %q", own, name)
		assert.True(t, rocketmq.TakesTopic(own) && rocketmq.TakesGroup(own), own)
		assert.Empty(t, seen[own], "%q and %q", seen[own], name)
		assert.Equal(t, own, Propose(name), "the same each time")
		seen[own] = fmt.Sprintf("%q", name)
	}
}
