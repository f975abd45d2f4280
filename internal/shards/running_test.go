package shards

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

func TestLanesThatEndTellWhatTheyHaveCopiedAlone(t *testing.T) {
	b := &Running{progress: api.ReplicationProgress{
		Broker: "broker-a", Holder: "me", Progress: lane.Progress{
			Copied: 100, Topics: []lane.TopicProgress{{Topic: "orders", Copied: 100}},
			Back: &lane.Progress{
				Copied: 7, Topics: []lane.TopicProgress{{Topic: "orders", Copied: 7}},
			},
		},
	}}
	require.Equal(t, api.ReplicationProgress{
		Broker: "broker-a", Holder: "me",
		Progress: lane.Progress{Copied: 100, Back: &lane.Progress{Copied: 7}},
	}, b.End())
}
