package verification

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

func laneOf(topic string, queue int) lane.Lane {
	return lane.Lane{
		Topic:  topic,
		Source: lane.Queue{Broker: "a", ID: queue},
		Target: lane.Queue{Broker: "x", ID: queue},
	}
}

// checkpointAt is a comparison of [100, 1100) that has come to an offset.
func checkpointAt(lane lane.Lane, read int64) verify.Checkpoint {
	report := verify.Report{
		Topic:    lane.Topic,
		Source:   lane.Source,
		Target:   lane.Target,
		From:     100,
		To:       1100,
		Compared: read - 100,
	}
	return verify.Checkpoint{Report: report, Read: read}
}

func TestVerifyTellsHowMuchIsLeftAndHowLongItTakes(t *testing.T) {
	one, two, three := laneOf("orders", 0), laneOf("orders", 1), laneOf("orders", 2)
	c := resumedInTest(t, nil)
	c.Expect(map[string]int64{laneName(one): 1000, laneName(two): 1000, laneName(three): 2000})
	begin := time.Now()
	assert.Equal(t, api.VerifyProgress{Messages: 4000}, c.measure(begin), "before anything was read there is no pace")
	c.progress(one)(checkpointAt(one, 300))
	c.progress(two)(checkpointAt(two, 200))
	assert.Equal(t, api.VerifyProgress{Messages: 4000, Read: 300, PerSecond: 150, Left: "25s"},
		c.measure(begin.Add(2*time.Second)))
	c.done(one, verify.Report{From: 100, To: 1100, Compared: 1000})
	assert.Equal(t, api.VerifyProgress{Messages: 4000, Read: 1100, PerSecond: 275, Left: "11s"},
		c.measure(begin.Add(4*time.Second)))
	stands := c.measure(begin.Add(20 * time.Second))
	assert.Equal(t, api.VerifyProgress{Messages: 4000, Read: 1100}, c.measure(begin.Add(22*time.Second)),
		"nothing moved in the last seconds, %+v before", stands)
}

func TestVerifyGoesOnInsideALane(t *testing.T) {
	one, two := laneOf("orders", 0), laneOf("orders", 1)
	before := resumedInTest(t, nil)
	before.progress(one)(checkpointAt(one, 700))
	before.done(two, verify.Report{Compared: 5})
	c := resumedInTest(t, before.Snapshot())
	require.NotNil(t, c.resume(one))
	assert.Equal(t, checkpointAt(one, 700), *c.resume(one))
	assert.True(t, c.has(two))
	assert.Nil(t, c.resume(two), "a lane that is done has nothing to go on with")
	assert.EqualValues(t, 5, c.Sum.Compared)
}

func TestVerifyBeginsAgainAfterAnotherVersionsHeartbeat(t *testing.T) {
	c := resumedInTest(t,
		map[string]any{"done": map[string]bool{"orders a/0": true}, "now": map[string]int64{"orders a/1": 7}})
	assert.Empty(t, c.Done)
	assert.Empty(t, c.Now)
}

// resumedInTest is the comparison of an attempt that finds such details.
func resumedInTest(t *testing.T, details any) (c *Comparison) {
	t.Helper()
	if details == nil {
		return Resumed(nil)
	}
	beat, err := json.Marshal(details)
	require.NoError(t, err)
	return Resumed(func(into any) error { return json.Unmarshal(beat, into) })
}
