package lab

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dieWithParent has the kernel kill the process when the thread that started it ends.
func dieWithParent(attr *syscall.SysProcAttr) { attr.Pdeathsig = syscall.SIGKILL }

var errEnded = errors.New("process has ended")

// startTime returns when a running process started, as a text that no other process with this id
// ever has: the machine's boot, and clock ticks since then (field 22 of /proc/<pid>/stat, proc(5)).
func startTime(pid int) (string, error) {
	fields, err := statFields(pid)
	if err != nil {
		return "", err
	}
	const state, threads, startTicks = 0, 17, 19 // fields 3, 20 and 22 of the manual: the first two are cut off
	// Z: ended, and its parent has not asked yet; X: being taken apart. That is the main thread
	// alone: as long as there are others, files and ports are still open.
	if (fields[state] == "Z" || fields[state] == "X") && (fields[threads] == "0" || fields[threads] == "1") {
		return "", errEnded
	}
	boot, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", fmt.Errorf("boot of this machine: %w", err)
	}
	return strings.TrimSpace(string(boot)) + "/" + fields[startTicks], nil
}

// frozen tells whether every thread of a process has stopped.
func frozen(pid int) (bool, error) {
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return false, fmt.Errorf("threads of process %d: %w", pid, err)
	}
	for _, thread := range threads {
		fields, err := fieldsOf(fmt.Sprintf("/proc/%d/task/%s/stat", pid, thread.Name()))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
			continue // this thread has ended
		}
		if err != nil || fields[0] != "T" {
			return false, err
		}
	}
	return true, nil
}

// ProcessCPU is the processor time that a running process has used since it started, user and
// system, in steps of 10 ms (fields 14 and 15 of /proc/<pid>/stat, proc(5)).
func ProcessCPU(pid int) (time.Duration, error) {
	fields, err := statFields(pid)
	if err != nil {
		return 0, err
	}
	// USER_HZ is 100 for all programs, whatever the kernel ticks
	const user, system, tick = 11, 12, 10 * time.Millisecond
	var sum time.Duration
	for _, field := range []int{user, system} {
		ticks, err := strconv.ParseInt(fields[field], 10, 64)
		if err != nil {
			return 0, fmt.Errorf("process %d: processor time: %w", pid, err)
		}
		sum += time.Duration(ticks) * tick
	}
	return sum, nil
}

// statFields are the fields of /proc/<pid>/stat from the third on.
func statFields(pid int) ([]string, error) {
	fields, err := fieldsOf(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, fmt.Errorf("process %d: %w", pid, err)
	}
	return fields, nil
}

func fieldsOf(name string) ([]string, error) {
	stat, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	// The second field is the program's name in parentheses, which may hold anything.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	const needed = 20
	if len(fields) < needed {
		return nil, fmt.Errorf("%s has %d fields", name, len(fields)+2)
	}
	return fields, nil
}
