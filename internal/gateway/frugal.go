package gateway

import (
	"os"
	"runtime/debug"
)

// garbagePercent is how much garbage may lie about, in percent of what is used. What passes makes none, so that collections stay rare: of idle
// clients' reports and heartbeats some seconds' worth is 10 MB.
const garbagePercent = 30

// collectedAt is at how much of its memory, in percent, the process begins to collect garbage as much as it can: the rest is for its code, and for what
// comes while a collection is under way.
const collectedAt = 90

// LimitMemory has the process keep to so many bytes (Config.Memory), unless its environment says how much (GOMEMLIMIT): getenv tells.
func LimitMemory(bytes int64, getenv func(string) string) {
	if getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(bytes / 100 * collectedAt)
	}
}

// Frugal has the process keep less memory for garbage than is usual with Go, unless its environment says how much (GOGC). It is for programs that are
// nothing but a gateway.
func Frugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
