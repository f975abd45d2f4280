package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/demo/driver"
	"rocketshift/plan"
)

func TestLongGoingBackHarmsNobody(t *testing.T) {
	r := play(t, driver.Options{Name: "test-back", BackAt: 25, History: 4000, Histories: fixtures("back")})
	requireNoHarm(t, r, false)
	require.Equal(t, api.StateRolledBack, r.Status.State)
	types := map[string]string{}
	for _, e := range r.Workflows {
		types[e.Type] = e.Status
	}
	require.Equal(t, "Completed", types[api.RollbackType], "all: %v", r.Workflows)
	require.Equal(t, "Completed", types[api.MigrationType], "all: %v", r.Workflows)
	requireNothingLeft(t, "test-back")
}

// The way back is no more than a few pointers: applications are never touched.
func TestLiveGoingBackBehindAGatewayIsNotNoticed(t *testing.T) {
	r := play(t, driver.Options{
		Name:      "test-gateway-back",
		Traffic:   plan.ModeGateway,
		BackAt:    25,
		History:   3000,
		Histories: fixtures("gateway-back"),
	})
	requireNoHarm(t, r, true)
	require.Equal(t, api.StateRolledBack, r.Status.State)
	requireStarts(t, r, 1)
	requireNothingLeft(t, "test-gateway-back")
}
