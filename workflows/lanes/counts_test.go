package lanes

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

// Lanes count what they have copied from their own start on; the sum goes on over their restarts.
// What an activity tells when it is cancelled needs a real server: TestLongCopiedNeverFalls.
func TestWhatEndedLanesHaveCopiedIsCounted(t *testing.T) {
	told := api.ReplicationProgress{Progress: lane.Progress{
		Copied: 1000, Back: &lane.Progress{Copied: 10},
	}}
	less := api.ReplicationProgress{Progress: lane.Progress{Copied: 5}}
	a := api.Copied{Broker: "broker-a", Part: 1}
	var s api.Status
	countCopied(&s, a, temporal.NewCanceledError())
	countCopied(&s, a, nil)
	require.Empty(t, s.Copied, "nothing was told")
	countCopied(&s, a, temporal.NewCanceledError(told))
	countCopied(&s, api.Copied{Broker: "broker-b"}, temporal.NewHeartbeatTimeoutError(less))
	countCopied(&s, a, temporal.NewCanceledError(less))
	require.Equal(t, []api.Copied{
		{Broker: "broker-a", Part: 1, There: 1000, Back: 10}, {Broker: "broker-b", There: 5},
	}, s.Copied, "counts never fall")
}
