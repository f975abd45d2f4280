package remote

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	commonpb "go.temporal.io/api/common/v1"
	workflowpb "go.temporal.io/api/workflow/v1"
	"go.temporal.io/sdk/converter"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

func TestPausedLanesAndARunningComparisonAreShown(t *testing.T) {
	details := func(of any) *commonpb.Payloads {
		p, err := converter.GetDefaultDataConverter().ToPayloads(of)
		require.NoError(t, err)
		return p
	}
	pending := []*workflowpb.PendingActivityInfo{
		{
			ActivityId: "9", ActivityType: &commonpb.ActivityType{Name: "Replicate"}, Paused: true,
			HeartbeatDetails: details(
				api.ReplicationProgress{Broker: "broker-a", Progress: lane.Progress{Lanes: 4, Lag: 7}},
			),
		},
		{
			ActivityId: "10", ActivityType: &commonpb.ActivityType{Name: "Verify"},
			HeartbeatDetails: details(
				map[string]any{"progress": api.VerifyProgress{Messages: 100, Read: 40, PerSecond: 10, Left: "6s"}},
			),
		},
	}
	var s Snapshot
	(&temporalService{converter: converter.GetDefaultDataConverter()}).addPending(&s,
		"migration-orders-replicate", pending)
	require.Len(t, s.Replication, 1)
	assert.Contains(t, s.Replication[0].Waiting,
		"lanes of broker-a are paused; temporal activity unpause --workflow-id migration-orders-replicate "+
			"--activity-id 9")
	assert.EqualValues(t, 7, s.Replication[0].Lag)
	assert.Equal(t, &api.VerifyProgress{Messages: 100, Read: 40, PerSecond: 10, Left: "6s"}, s.Comparing)
}
