package main

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/demo/driver"
	"rocketshift/plan"
	"rocketshift/workflows"
)

func TestLongGoingBackHarmsNobody(t *testing.T) {
	r := play(t, driver.Options{Name: "test-back", BackAt: 25, History: 4000, Histories: fixtures("back")})
	require.True(t, r.Verdict.Clean(), "verdict %+v, examples %v", r.Verdict, r.Detail.Examples)
	require.Equal(t, workflows.StateRolledBack, r.Status.State)
	types := map[string]string{}
	for _, e := range r.Workflows {
		types[e.Type] = e.Status
	}
	require.Equal(t, "Completed", types[workflows.RollbackType], "all: %v", r.Workflows)
	require.Equal(t, "Completed", types[workflows.MigrationType], "all: %v", r.Workflows)
	requireNothingLeft(t, "test-back")
}

// The way back is no more than a few pointers: applications are never touched, and pause for less than a restart takes.
func TestLongGoingBackBehindAGatewayIsNotNoticed(t *testing.T) {
	r := play(t, driver.Options{Name: "test-gateway-back", Traffic: plan.ModeGateway, BackAt: 25, History: 3000, Histories: fixtures("gateway-back")})
	require.True(t, r.Verdict.Clean(), "verdict %+v, examples %v", r.Verdict, r.Detail.Examples)
	require.Equal(t, workflows.StateRolledBack, r.Status.State)
	require.Less(t, r.Verdict.LongestPauseMs, int64(10_000), "%s", r.Detail.Pause)
	requireNothingLeft(t, "test-gateway-back")
}
