package shards

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/replicator/lane"
)

// taken begins n free shards and counts those that the worker takes.
func taken(s *Shares, n, shards, offers int) (all []*Share) {
	for range n {
		if one, yes := s.Take("orders", shards, true, offers); yes {
			all = append(all, one)
		}
	}
	return all
}

func offeredOf(all []*Share) (n int) {
	for _, one := range all {
		select {
		case <-one.Offered:
			n++
		default:
		}
	}
	return n
}

func TestAWorkerAloneTakesEveryShard(t *testing.T) {
	assert.Len(t, taken(&Shares{}, 6, 6, 0), 6)
	assert.Len(t, taken(nil, 6, 6, 0), 6)
}

func TestOfShardsThatBeginAWorkerTakesItsPart(t *testing.T) {
	s := &Shares{}
	s.Set(4, true)
	assert.Len(t, taken(s, 6, 6, 0), 2, "6 shards and 4 workers: rounded up")
	_, yes := s.Take("payments", 1, true, 0)
	assert.True(t, yes, "another migration has shards of its own")
}

func TestAShardOfADeadWorkerIsTakenByWhoeverGetsIt(t *testing.T) {
	s := &Shares{}
	s.Set(3, true)
	taken(s, 2, 6, 0)
	_, yes := s.Take("orders", 6, false, 0)
	assert.True(t, yes)
}

func TestAShardThatNobodyHasRoomForIsTakenInTheEnd(t *testing.T) {
	s := &Shares{}
	s.Set(6, true)
	taken(s, 1, 6, 0)
	_, yes := s.Take("orders", 6, true, mostOffers-1)
	require.False(t, yes)
	_, yes = s.Take("orders", 6, true, mostOffers)
	assert.True(t, yes)
}

func TestWhenWorkersJoinTheNewestShardsBeyondThePartAreOffered(t *testing.T) {
	s := &Shares{}
	all := taken(s, 6, 6, 0)
	s.Set(1, false)
	require.Zero(t, offeredOf(all))
	s.Set(3, true)
	require.Equal(t, 4, offeredOf(all))
	require.Zero(t, offeredOf(all[:2]), "the oldest stay")
	for _, one := range all[2:] {
		s.Leave(one)
	}
	require.Empty(t, taken(s, 1, 6, 1), "it doesn't take back what it offered")
	s.Leave(all[0])
	require.Len(t, taken(s, 2, 6, 1), 1, "unless it has room again")
}

func TestAWorkerThatLeavesMovesNothing(t *testing.T) {
	s := &Shares{}
	s.Set(2, true)
	all := taken(s, 3, 6, 0)
	s.Set(3, false) // such as one that was away for a moment
	assert.Zero(t, offeredOf(all))
}

func TestLanesOfABrokerAreSpreadOverItsShards(t *testing.T) {
	counts := make([]int, 4)
	for topic := range 400 {
		counts[PartOf(lane.Lane{Topic: fmt.Sprint("orders-", topic)}, len(counts))]++
	}
	for part, n := range counts {
		assert.Greater(t, n, 50, "topics with one queue each in shard %d, of 400 in 4: %v", part, counts)
	}
	whole := map[int]bool{}
	for index := range 4 {
		whole[PartOf(lane.Lane{Topic: "orders", Index: index}, 4)] = true
	}
	assert.Len(t, whole, 4, "the queues of one topic go to different shards")
}

func TestHeartbeatsOfManyShardsFitIntoOneAnswer(t *testing.T) {
	assert.Equal(t, maxTold, MostTold(0))
	assert.Equal(t, maxTold, MostTold(6))
	assert.Equal(t, 12, MostTold(64))
	assert.Equal(t, leastOf, MostTold(1000))
}
