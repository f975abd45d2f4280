package storage

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/api"
	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/clusters/inventory/facts/factstest"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/internal/rocketmq/remotingtest"
	"rocketshift/replicator/lane"
)

var (
	at    = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	first = lane.Queue{Broker: "broker-a"}
)

func TestDisksThatAreNearlyFullAreFound(t *testing.T) {
	broker := func(used string) map[string]map[string]string {
		return map[string]map[string]string{"broker-a": {"commitLogDiskRatio": used, "consumeQueueDiskRatio": "0.1"}}
	}
	with := func(most string) []brokerconfig.Broker {
		return []brokerconfig.Broker{{Name: "broker-a", Values: map[string]string{"diskMaxUsedSpaceRatio": most}}}
	}
	for name, c := range map[string]struct {
		side       api.Side
		used, most string
		want       api.Severity // empty: nothing is found
	}{
		"room":                          {api.Source, "0.5", "75", ""},
		"near the limit":                {api.Source, "0.71", "75", api.SeverityWarning},
		"a higher limit":                {api.Source, "0.71", "88", ""},
		"no limit told":                 {api.Source, "0.8", "", api.SeverityWarning},
		"a source that refuses sends":   {api.Source, "0.92", "75", api.SeverityWarning},
		"a target that refuses sends":   {api.Target, "0.92", "75", api.SeverityRefusal},
		"a target that deletes already": {api.Target, "0.76", "75", api.SeverityWarning},
		"nothing told":                  {api.Target, "-1.0", "75", ""},
	} {
		t.Run(name, func(t *testing.T) {
			tables := broker(c.used)
			if c.used == "-1.0" {
				delete(tables["broker-a"], "consumeQueueDiskRatio")
			}
			found := disksOf(c.side, tables, with(c.most), facts.Facts{At: at})
			if c.want == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Equal(t, c.want, found[0].Severity)
			assert.Equal(t, string(c.side)+" broker broker-a", found[0].Object)
		})
	}
}

// realDisk is a disk with a quota, in the words of a 5.3.3: 215.9 GiB were free (statvfs), of which
// 55.0 GiB were left to use (df).
const realDisk = "Total : 252.0 GiB, Free : 215.9 GiB."

func TestATargetWithoutRoomForTheSourceIsFound(t *testing.T) {
	holds := func(gib int64) map[string]map[string]string {
		return map[string]map[string]string{
			"a": {"commitLogMinOffset": "1073741824", "commitLogMaxOffset": strconv.FormatInt((gib+1)<<30, 10)},
		}
	}
	target := func(capacity, ratio string) map[string]map[string]string {
		return map[string]map[string]string{"b": {"commitLogDirCapacity": capacity, "commitLogDiskRatio": ratio}}
	}
	for name, c := range map[string]struct {
		holds           int64
		capacity, ratio string
		want            string // room in the evidence; empty: nothing is found
	}{
		"small":                          {10, "Total : 19.9 GiB, Free : 9.5 GiB.", "0.53", "7.5 GiB"},
		"large":                          {10, "Total : 1.9 TiB, Free : 1.5 TiB.", "0.22", ""},
		"free blocks that nobody gets":   {60, realDisk, "0.4", "47.2 GiB"},
		"as much as usable blocks hold":  {40, realDisk, "0.4", ""},
		"nearly empty and very large":    {5000, "Total : 9.8 TiB, Free : 9.7 TiB.", "0.02", ""},
		"without a ratio":                {10, "Total : 19.9 GiB, Free : 9.5 GiB.", "-1.0", "7.5 GiB"},
		"so full that sends are refused": {10, "Total : 100.0 GiB, Free : 5.0 GiB.", "0.95", "0.0 GiB"},
		"it isn't told":                  {10, "", "0.2", ""},
		"it is told in another way":      {10, "Total : 1.0 GiB, Free : 5.0 GiB.", "0.2", ""},
	} {
		t.Run(name, func(t *testing.T) {
			found := roomOf(holds(c.holds), target(c.capacity, c.ratio), facts.Facts{At: at})
			if c.want == "" {
				assert.Empty(t, found)
				return
			}
			require.Len(t, found, 1)
			assert.Contains(t, found[0].Evidence[0].Fact, "(90 % used): "+c.want+" at most")
		})
	}
	assert.Empty(t, roomOf(holds(10), nil, facts.Facts{}), "there is none yet")
}

func TestGroupsWhoseMessagesAreDeletedBeforeTheyReadThemAreFound(t *testing.T) {
	find := func(position int64, stored time.Time) []api.Finding {
		source := &remotingtest.Cluster{
			Name: "C4", Broker: "broker-a", Version: "V4_9_7",
			Topics: map[string]remotingtest.Topic{"orders": {
				Read: 1, Write: 1, Perm: 6, Held: map[int][2]int64{0: {100, 200}},
				Message: remoting.Message{Body: []byte("x"), StoreTimestamp: stored.UnixMilli()},
			}},
		}
		sides := factstest.Sides(t, source, nil)
		seen := facts.Facts{At: at, TopicNames: []string{"orders"}, GroupNames: []string{"billing"}}
		factstest.Tables(t, sides.Source, &seen)
		seen.Ranges = map[string]map[lane.Queue]rocketmq.QueueRange{"orders": {first: {Min: 100, Max: 200}}}
		seen.Positions = map[string]clusters.Committed{"billing": {"orders": {first: position}}}
		all, err := Find(t.Context(), sides, seen)
		require.NoError(t, err)
		return all
	}
	late := find(150, at.Add(-60*time.Hour))
	require.Equal(t, []string{"lag-at-risk"}, factstest.IDs(late))
	assert.Equal(t, "group billing", late[0].Object)
	assert.Contains(t, late[0].Evidence[0].Fact, "stored 60h0m0s ago; brokers keep messages for 72h0m0s")
	assert.Contains(t, late[0].Evidence[1].Fact, "50 messages behind")

	lost := find(40, at.Add(-time.Hour))
	require.Equal(t, []string{"lag-at-risk"}, factstest.IDs(lost))
	assert.True(t, strings.HasPrefix(lost[0].Evidence[0].Fact, "60 messages were deleted"))

	assert.Empty(t, find(150, at.Add(-time.Hour)), "it is behind, and reads in time")
	assert.Empty(t, find(200, at.Add(-100*time.Hour)), "it has read all")
}
