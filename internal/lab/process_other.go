//go:build unix && !linux

package lab

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// dieWithParent does nothing: only the kernel of Linux can do this. Servers of a killed program
// stay until the next Start or StopDir in their folder.
func dieWithParent(*syscall.SysProcAttr) {}

var errEnded = errors.New("process has ended")

// startTime returns when a running process started, to the second.
func startTime(pid int) (string, error) {
	out, err := exec.Command("ps", "-o", "state=,lstart=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return "", fmt.Errorf("process %d: %w", pid, err)
	}
	state, started, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if strings.HasPrefix(state, "Z") {
		return "", errEnded
	}
	return strings.TrimSpace(started), nil
}

// frozen tells whether a process has stopped; of its threads only the first is known here.
func frozen(pid int) (bool, error) {
	out, err := exec.Command("ps", "-o", "state=", "-p", strconv.Itoa(pid)).Output()
	if err != nil {
		return false, fmt.Errorf("process %d: %w", pid, err)
	}
	return strings.HasPrefix(strings.TrimSpace(string(out)), "T"), nil
}

// ProcessCPU is not known here: what ps prints is too coarse to compare programs by.
func ProcessCPU(pid int) (time.Duration, error) {
	return 0, fmt.Errorf("processor time of process %d: only Linux tells it finely enough", pid)
}
