package gateway

import (
	"os"
	"runtime/debug"
)

// garbagePercent is how much garbage may lie about, in percent of what is used. What passes makes none, so that collections stay rare: of idle
// clients' reports and heartbeats some seconds' worth is 10 MB.
const garbagePercent = 30

// Frugal has the process keep less memory for garbage than is usual with Go, unless its environment says how much (GOGC). It is for programs that are
// nothing but a gateway.
func Frugal() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(garbagePercent)
	}
}
