package shards

import (
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/replicator/lane"
)

func progressOf(orders, back int64) lane.Progress {
	return lane.Progress{
		Copied: orders, Topics: []lane.TopicProgress{{Topic: "orders", Copied: orders}},
		Back: &lane.Progress{
			Copied: back, Topics: []lane.TopicProgress{{Topic: "orders", Copied: back}},
		},
	}
}

func TestCopiesAreCountedOnOverRestartsOfLanes(t *testing.T) {
	of := LanesOf{Migration: "orders", Broker: "broker-a"}
	var here Tally
	first := here.Begin(of, api.Copied{}, lane.Progress{})
	raw := progressOf(100, 7)
	told := first.Add(raw)
	require.Equal(t, progressOf(100, 7), told)
	// A rate restarts the lanes in the same worker: another activity, whose lanes count from 0.
	second := here.Begin(of, api.Copied{}, lane.Progress{})
	require.Equal(t, progressOf(100, 7), second.Begun(lane.Progress{}), "before lanes tell")
	require.Equal(t, progressOf(103, 8), second.Add(progressOf(3, 1)))
	require.Equal(t, progressOf(110, 9), second.Add(progressOf(10, 2)))
	require.Equal(t, progressOf(100, 7), raw, "others have that slice too")
	// Another worker knows what the workflow and the attempt before tell.
	var there Tally
	third := there.Begin(of, api.Copied{There: 90, Back: 20}, progressOf(110, 9))
	want := progressOf(111, 10)
	want.Back.Copied = 21 // what the workflow knows is more
	require.Equal(t, want, third.Add(progressOf(1, 1)))
	// Back lanes that haven't begun yet don't forget.
	fourth := there.Begin(of, api.Copied{}, lane.Progress{})
	fourth.Add(lane.Progress{Copied: 1})
	require.EqualValues(t, 21, there.known[of].all.Back)
	require.EqualValues(t, 10, there.known[of].back["orders"])
}
