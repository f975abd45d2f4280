package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// machine is the time of all processors, and how much of it nobody needed.
func machine() (all, idle time.Duration, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0, err
	}
	return parseMachine(string(text))
}

// parseMachine reads the first line of /proc/stat (proc(5)): user, nice, system, idle, iowait, irq,
// softirq, steal.
func parseMachine(text string) (all, idle time.Duration, err error) {
	const tick = 10 * time.Millisecond
	line, _, _ := strings.Cut(text, "\n")
	fields := strings.Fields(line)
	if len(fields) < 9 || fields[0] != "cpu" {
		return 0, 0, fmt.Errorf("/proc/stat begins with %.60q", line)
	}
	for i, field := range fields[1:9] {
		ticks, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return 0, 0, fmt.Errorf("/proc/stat: %w", err)
		}
		all += time.Duration(ticks) * tick
		if i == 3 || i == 4 {
			idle += time.Duration(ticks) * tick
		}
	}
	return all, idle, nil
}

// memoryOf is what a process has in memory, now and at most, in bytes (VmRSS and VmHWM of proc(5)).
func memoryOf(pid int) (now, most int64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kilobytes, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "VmRSS:":
			now = kilobytes << 10
		case "VmHWM:":
			most = kilobytes << 10
		}
	}
	return now, most, nil
}

// connections is how many descriptors a process has open; nearly all of a gateway's are
// connections.
func connections(pid int) (int, error) {
	all, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(all), err
}

// yield gives this process, but not those that it has started, the lowest priority: it gets the
// processors when nobody else wants them. Priorities are of threads (setpriority(2)), and new ones
// have that of the one that starts them.
func yield() error {
	const lowest = 19
	all, err := os.ReadDir("/proc/self/task")
	for _, task := range all {
		id, _ := strconv.Atoi(task.Name())
		err = errors.Join(err, syscall.Setpriority(syscall.PRIO_PROCESS, id, lowest))
	}
	return err
}
