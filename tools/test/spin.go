package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

// spinArgument makes this program one that spins.
const spinArgument = "spin"

// spin uses a processor until the process that started this one ends.
func spin() {
	for parent, n := os.Getppid(), 0; ; n++ {
		if n&(1<<28-1) == 0 && os.Getppid() != parent {
			os.Exit(0)
		}
	}
}

// startSpinning starts so many processes, at normal priority, that use a processor each. They end
// with this one.
func startSpinning(count int) (end func(), err error) {
	var all []*exec.Cmd
	end = func() {
		for _, one := range all {
			_ = one.Process.Kill()
			_ = one.Wait()
		}
	}
	self, err := os.Executable()
	if err != nil {
		return end, err
	}
	for range count {
		one := exec.Command(self, spinArgument)
		one.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		one.Env = append(os.Environ(), "GOMAXPROCS=1")
		if err := one.Start(); err != nil {
			end()
			return end, fmt.Errorf("start a process that spins: %w", err)
		}
		all = append(all, one)
	}
	return end, nil
}
