package verdict

import (
	"maps"
	"slices"
	"time"
)

// pause is a stretch of time, in nanoseconds.
type pause struct{ from, length int64 }

// longestGap is the longest time between two neighbours.
func longestGap(times []int64) pause {
	slices.Sort(times)
	var longest pause
	for i := 1; i < len(times); i++ {
		if gap := times[i] - times[i-1]; gap > longest.length {
			longest = pause{times[i-1], gap}
		}
	}
	return longest
}

// groupPause is the longest time that a group waited for a delivery although a message for it was
// stored. Time in which everything stored was delivered is no pause: nothing flowed. acked are the
// times at which the group's messages were stored. Of a message only the first delivery counts.
func groupPause(g Group, acked []int64) pause {
	slices.Sort(acked)
	first := make(map[string]int64, len(g.Received))
	for _, r := range g.Received {
		if at, known := first[r.ID]; !known || r.At < at {
			first[r.ID] = r.At
		}
	}
	delivered := slices.Sorted(maps.Values(first))
	var longest pause
	for i := 1; i < len(delivered); i++ {
		from, to := delivered[i-1], delivered[i]
		if to-from <= longest.length {
			continue
		}
		// i messages were delivered by `from`. When more were stored by then, the group waited from
		// `from` on; else from the moment at which the next one was stored.
		if i >= len(acked) {
			continue
		}
		waits := max(from, acked[i])
		if to-waits > longest.length {
			longest = pause{waits, to - waits}
		}
	}
	return longest
}

func clock(ns int64) string { return time.Unix(0, ns).Format("15:04:05.000") }
