package activities

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

func checkPlan(t *testing.T, text string) CheckedPlan {
	t.Helper()
	env := newEnvironment()
	env.RegisterActivity(NewPlans())
	value, err := env.ExecuteActivity("CheckPlan", PlanRequest{Plan: []byte(text)})
	require.NoError(t, err)
	var checked CheckedPlan
	require.NoError(t, value.Get(&checked))
	return checked
}

func TestACheckedPlanHasItsDefaultsAndTheHashOfWhatWasGiven(t *testing.T) {
	const given = `{"name":"orders","source":{"nameServers":["h:1"]},"target":{"provider":"local"}}`
	p, err := plan.Parse([]byte(given))
	require.NoError(t, err)
	got := checkPlan(t, given)
	assert.Empty(t, got.Refused)
	assert.Equal(t, p.Normal(), got.Plan)
	assert.Equal(t, p.Hash(), got.Hash)
}

func TestAPlanThatIsRefusedNamesEveryProblemInABoundedText(t *testing.T) {
	got := checkPlan(t, `{"name":"Orders","target":{"provider":"cloud"}}`)
	for _, want := range []string{"name: ", "source.nameServers: missing", "target.provider: "} {
		assert.Contains(t, got.Refused, want)
	}
	assert.Contains(t, checkPlan(t, `null`).Refused, "want an object")
	var keys []string
	for range 10_000 {
		keys = append(keys, `["`+strings.Repeat("x", 10)+`"]`)
	}
	many := checkPlan(t, `{"approvals":[`+strings.Join(keys, ",")+`]}`)
	assert.Contains(t, many.Refused, "more")
	assert.Less(t, len(many.Refused), 10_000)
}
