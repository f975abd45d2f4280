package measure

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"rocketshift/api"
	"rocketshift/internal/clusters/stability"
	"rocketshift/replicator/lane"
)

func TestMovesThatAreNotOver(t *testing.T) {
	gone := Members{Group: "g", Target: 2}
	silent := Members{Group: "g"}
	half := Members{Group: "g", Source: 1, Target: 1, Where: []string{"10.0.0.7:1 (c1)"}}
	for name, c := range map[string]struct {
		members  Members
		from     api.Side
		released bool
		open     string
	}{
		"all moved":                         {gone, api.Source, false, ""},
		"left, and not seen on the target":  {silent, api.Source, false, "no member on the target"},
		"left, and the pipeline says so":    {silent, api.Source, true, ""},
		"one left behind":                   {half, api.Source, false, "1 members on the source [10.0.0.7:1 (c1)]"},
		"the pipeline's word doesn't count": {half, api.Source, true, "1 members on the source"},
		"all to go back":                    {gone, api.Target, false, "2 members on the target"},
	} {
		t.Run(name, func(t *testing.T) {
			open := StillMoving([]Members{c.members}, c.from, c.released)
			if c.open == "" {
				assert.Empty(t, open)
				return
			}
			assert.Contains(t, open[0], c.open)
		})
	}
}

func TestLaneHasCaughtUpWhenLittleIsLeft(t *testing.T) {
	for name, c := range map[string]struct {
		min, copied, max int64
		want             bool
	}{
		"empty":                      {0, 0, 0, true},
		"few left":                   {0, 1, 100, true},
		"a hundred left of a few":    {0, 0, 100, false},
		"below one percent":          {0, 99_500, 100_000, true},
		"one percent":                {0, 99_000, 100_000, false},
		"share of what is kept only": {99_000, 99_800, 100_000, false},
		"copied beyond a stale end":  {0, 120, 100, true},
	} {
		t.Run(name, func(t *testing.T) {
			assert.Equal(t, c.want, Lane{min: c.min, copied: c.copied, Max: c.max}.caughtUp())
		})
	}
}

func TestSummaryNamesTheWorstLane(t *testing.T) {
	lane := func(id int, copied int64) Lane {
		return Lane{
			Lane:   lane.Lane{Topic: "orders", Source: lane.Queue{Broker: "a", ID: id}},
			copied: copied,
			Max:    100,
		}
	}
	s := Sum([]Lane{lane(0, 90), lane(1, 10), lane(2, 100)})
	assert.Equal(t, 3, s.Lanes)
	assert.EqualValues(t, 100, s.Lag)
	assert.Equal(t, "orders a/1: copied to 10 of 100", s.Worst)
}

func TestWaveCountsWhoIsLeftAndWhoStillWrites(t *testing.T) {
	c := api.WaveCheck{Measured: time.Now()}
	assert.Equal(
		t,
		[]string{"g [10.0.0.7:1 (c1)]"},
		countMembers(&c,
			[]Members{{Group: "f", Target: 3}, {Group: "g", Source: 2, Where: []string{"10.0.0.7:1 (c1)"}}}),
	)
	assert.Equal(t, 2, c.MembersLeft)
	seen := stability.Set{
		"orders": {Reading: 100, Since: c.Measured.Add(-time.Minute)},
		"clicks": {Reading: 5, Since: c.Measured.Add(-time.Minute)},
	}
	writing := countPuts(&c, []string{"clicks", "orders", "unseen"},
		map[string]int64{"clicks": 5, "orders": 160, "unseen": 9}, map[string]int64{"orders": 4, "clicks": 1},
		seen, time.Second)
	assert.Len(t, writing, 2, "orders got more, unseen wasn't looked at long enough: %v", writing)
	assert.Contains(t, writing[0], "orders (1/s")
	assert.EqualValues(t, 60, c.SourcePuts)
	assert.EqualValues(t, 5, c.TargetPuts)
}
