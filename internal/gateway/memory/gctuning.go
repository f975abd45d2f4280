package memory

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// leastGarbage is how much garbage may lie about, in percent of what is used, while little
	// comes anew. What passes makes none, so that collections stay rare: of idle clients' reports
	// and heartbeats some seconds' worth is 10 MB.
	leastGarbage = 30
	// betweenCollections is how long collections should be apart when much garbage is made. One
	// looks through the stacks of all connections, some 20 ms for 4,000 of them, and other clients
	// wait for the processors meanwhile.
	betweenCollections = 4 * time.Second
	// garbagePart is which part of the memory garbage may take at most, in percent.
	garbagePart = 25
)

// collectedAt is at how much of its memory, in percent, the process begins to collect garbage as
// much as it can: the rest is for its code, and for what comes while a collection is under way.
const collectedAt = 90

// LimitMemory has the process keep to so many bytes (Config.Memory), unless its environment says
// how much (GOMEMLIMIT): getenv tells.
func LimitMemory(bytes int64, getenv func(string) string) {
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes / 100 * collectedAt)
	}
}

// Frugal has the process keep less memory for garbage than is usual with Go, and more while so much
// is made that it would collect all the time, unless its environment says how much (GOGC). It is
// for programs that are nothing but a gateway.
func Frugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(leastGarbage)
		c := &collections{at: time.Now(), percent: leastGarbage}
		c.made, _, _ = heapNow()
		c.afterCollection()
	}
}

// collections are those of a process: it decides after each when the next one is due.
type collections struct {
	at      time.Time // of the last one
	made    int64     // bytes, until then
	percent int       // of garbage until the next one
}

// afterCollection decides after each collection.
func (c *collections) afterCollection() {
	type mark struct{ at *collections } // not tiny: such objects share their blocks
	runtime.AddCleanup(&mark{c}, func(c *collections) {
		made, used, limit := heapNow()
		if percent := c.next(time.Now(), made, used, limit); percent != c.percent {
			c.percent = percent
			debug.SetGCPercent(percent)
		}
		c.afterCollection()
	}, c)
}

// next is how much garbage may be made until the next collection, in percent of what is used, after
// one at a time. Made are bytes since the start of the process.
func (c *collections) next(now time.Time, made, used, limit int64) int {
	took, since := max(now.Sub(c.at), time.Millisecond), made-c.made
	c.at, c.made = now, made
	most := min(limit, UsualMemory) / 100 * garbagePart
	wanted := min(int64(float64(since)*betweenCollections.Seconds()/took.Seconds()), most, max(limit-used, 0)/2)
	return max(leastGarbage, int(min(100*wanted/max(used, 1), math.MaxInt32)))
}

// heapNow is what has been allocated so far, what was in use when it was last looked through, with
// stacks, and the limit; in bytes.
func heapNow() (made, used, limit int64) {
	of := []metrics.Sample{
		{
			Name: "/gc/heap/allocs:bytes",
		}, {Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}
	metrics.Read(of)
	for _, s := range of[1:] {
		used += int64(s.Value.Uint64())
	}
	return int64(of[0].Value.Uint64()), used, debug.SetMemoryLimit(-1)
}
