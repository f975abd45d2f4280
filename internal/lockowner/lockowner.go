package lockowner

import (
	"crypto/rand"
	"fmt"
	"os"
	"strings"
)

// A holder names who holds the lanes' queue locks: one attempt of one activity in one process.
// Locks lapse after a minute, so that an attempt elsewhere, which may still run, is never
// overtaken. Only where the attempt before ran in a process of this machine that is provably gone
// may its name be taken over, and the lanes go on at once.

// New names an attempt of this process.
func New() string { return thisProcess() + "#" + rand.Text()[:8] }

// After is the holder for an attempt that follows the one of the previous holder.
func After(previous string) string {
	process, _, named := strings.Cut(previous, "#")
	if named && gone(process) {
		return previous
	}
	return New()
}

// thisProcess is boot id, process namespace, pid and start time; empty where the system doesn't
// tell.
func thisProcess() string {
	namespace, start := machine(), startTime(os.Getpid())
	if namespace == "" || start == "" {
		return ""
	}
	return fmt.Sprintf("%s/%d/%s", namespace, os.Getpid(), start)
}

// machine names the running kernel and its process namespace: within it, every process is visible.
func machine() string {
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return ""
	}
	namespace, err := os.Readlink("/proc/self/ns/pid")
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(boot)) + "/" + strings.Trim(strings.TrimPrefix(namespace, "pid:"), "[]")
}

// gone reports whether the named process ran on this machine and runs no more. A pid that was given
// to another process has another start time.
func gone(process string) bool {
	here := machine()
	rest, ours := strings.CutPrefix(process, here+"/")
	if here == "" || !ours {
		return false
	}
	pid, start := 0, ""
	if n, err := fmt.Sscanf(strings.Replace(rest, "/", " ", 1), "%d %s", &pid, &start); err != nil || n != 2 ||
		pid <= 0 {
		return false
	}
	return startTime(pid) != start
}

// startTime is when the process started, in clock ticks since boot; empty if it doesn't run.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// The command in parentheses may hold spaces; the fields are counted after it: state is the
	// 3rd, start time the 22nd.
	_, after, ok := strings.Cut(string(stat[max(0, strings.LastIndex(string(stat), ")")):]), ")")
	fields := strings.Fields(after)
	if !ok || len(fields) < 20 {
		return ""
	}
	if fields[0] == "Z" || fields[0] == "X" {
		return "" // dead, and nobody has read its end yet
	}
	return fields[19]
}
