package stage

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/plan"
)

// Runs of before have the defaults of their release, whatever plans get now.
func TestPlansOfOlderRunsKeepTheirDefaultsAndTheirHash(t *testing.T) {
	bare := plan.Plan{
		Name: "orders-2026", Source: plan.Cluster{NameServers: []string{"127.0.0.1:9876"}},
		Target: plan.Target{Provider: plan.ProviderLocal},
	}
	got, hash := planBefore(bare)
	require.Equal(t, "0113f79ef6ce", hash)
	require.Equal(t, plan.Duration(5*time.Minute), got.Replicate.Heartbeat)
	require.Equal(t, time.Minute, got.Shift.FenceLimit())
	require.Equal(t, []int{25, 50, 100}, got.Shift.Steps)
	require.Equal(t, plan.Gates(), got.Approvals)
	require.Equal(t, got.Normal(), got, "nothing is left to today's defaults")
	again, same := planBefore(bare.WithDefaults())
	require.Equal(t, hash, same, "as the CLI of the time sent it")
	again.Replicate.Heartbeat = got.Replicate.Heartbeat // today's default differs
	require.Equal(t, got, again)
}
