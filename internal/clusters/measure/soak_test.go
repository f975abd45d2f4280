package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"rocketshift/replicator/positions"
)

func TestASoakIsJudgedByTheMessagesOfItsHomes(t *testing.T) {
	begin := time.Now()
	for name, c := range map[string]struct {
		sum         Traffic
		share, want float64
		doubt       string // empty: the step stands
	}{
		"messages go where their queues have their homes": {
			Traffic{Queues: 8, Away: 2, Source: 750, Target: 250, Moved: 250}, 25, 25, "",
		},
		"queues are of different weight": {
			Traffic{Queues: 8, Away: 2, Source: 100, Target: 900, Moved: 900}, 90, 90, "",
		},
		"nothing was written": {
			Traffic{Queues: 8, Away: 2}, 0, 0, "no message was written to the 2 queues (of 8)",
		},
		"only queues that stay were written to": {
			Traffic{Queues: 8, Away: 2, Source: 400}, 0, 0, "no message was written to the 2",
		},
		"some messages surfaced where they were sent before": {
			Traffic{Queues: 8, Away: 2, Source: 752, Target: 248, Moved: 250, Misplaced: 2},
			24.8, 25, "",
		},
		"producers write past the homes": {
			Traffic{Queues: 8, Away: 2, Source: 875, Target: 125, Moved: 250, Misplaced: 125},
			12.5, 25, "12.5 % of 1000 messages were written on the target, and the homes of their " +
				"queues ask for 25.0 %: 125 were written on the other side",
		},
		"homes went back meanwhile": {
			Traffic{Queues: 8, Away: 1, Source: 900, Target: 100, Moved: 100},
			10, 10,
			"1 of 8 queues have their home on the target, and 25 % of them are 2",
		},
	} {
		got := c.sum.Judge(25, begin)
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
	var sum Traffic
	sum.add(positions.Traffic{OnSource: 5, OnTarget: 70, Lag: 1}, true)
	sum.add(positions.Traffic{OnSource: 100, OnTarget: 3, Lag: 2}, false)
	require.Equal(t, Traffic{Source: 105, Target: 73, Moved: 75, Misplaced: 8, Lag: 3}, sum)
}
