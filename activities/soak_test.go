package activities

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/replicator/positions"
)

func TestASoakIsJudgedByTheMessagesOfItsHomes(t *testing.T) {
	begin := time.Now()
	for name, c := range map[string]struct {
		sum         traffic
		share, want float64
		doubt       string // empty: the step stands
	}{
		"messages go where their queues have their homes": {
			traffic{queues: 8, away: 2, source: 750, target: 250, moved: 250}, 25, 25, "",
		},
		"queues are of different weight": {
			traffic{queues: 8, away: 2, source: 100, target: 900, moved: 900}, 90, 90, "",
		},
		"nothing was written": {
			traffic{queues: 8, away: 2}, 0, 0, "no message was written to the 2 queues (of 8)",
		},
		"only queues that stay were written to": {
			traffic{queues: 8, away: 2, source: 400}, 0, 0, "no message was written to the 2",
		},
		"some messages surfaced where they were sent before": {
			traffic{queues: 8, away: 2, source: 752, target: 248, moved: 250, misplaced: 2},
			24.8, 25, "",
		},
		"producers write past the homes": {
			traffic{queues: 8, away: 2, source: 875, target: 125, moved: 250, misplaced: 125},
			12.5, 25, "12.5 % of 1000 messages were written on the target, and the homes of their " +
				"queues ask for 25.0 %: 125 were written on the other side",
		},
		"homes went back meanwhile": {
			traffic{queues: 8, away: 1, source: 900, target: 100, moved: 100},
			10, 10,
			"1 of 8 queues have their home on the target, and 25 % of them are 2",
		},
	} {
		got := c.sum.judge(25, begin)
		require.InDelta(t, c.share, got.Share, 0.01, name)
		require.InDelta(t, c.want, got.Want, 0.01, name)
		require.Equal(t, begin, got.Since, name)
		require.False(t, got.Measured.IsZero(), name)
		if c.doubt == "" {
			require.Empty(t, got.Doubt, name)
		} else {
			require.Contains(t, got.Doubt, c.doubt, name)
		}
	}
}

func TestMessagesCountByTheHomeOfTheirQueue(t *testing.T) {
	var sum traffic
	sum.add(positions.Traffic{OnSource: 5, OnTarget: 70, Lag: 1}, true)
	sum.add(positions.Traffic{OnSource: 100, OnTarget: 3, Lag: 2}, false)
	require.Equal(t, traffic{source: 105, target: 73, moved: 75, misplaced: 8, lag: 3}, sum)
}

func TestAWorkerForgetsTheOldestSoaks(t *testing.T) {
	var all soaks
	begin := time.Now()
	for i := range soaksKept + 1 {
		all.put(soakKey{step: i}, soak{since: begin.Add(time.Duration(i) * time.Second)})
	}
	_, oldest := all.get(soakKey{step: 0})
	_, newest := all.get(soakKey{step: soaksKept})
	require.False(t, oldest)
	require.True(t, newest)
	require.Len(t, all.known, soaksKept)
}
