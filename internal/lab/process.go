package lab

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process identifies a process: ids are used again, an id with a start time is not.
type process struct {
	PID     int    `json:"pid"`
	Started string `json:"started"`
}

// command is a program to run in the background.
type command struct {
	args     []string // the program's path first
	dir      string   // working directory
	log      string   // file that gets its output, appended
	detached bool     // outlives this process
}

// launched is a process that waits for its release before it becomes the program.
type launched struct {
	process
	gate *os.File
	done <-chan struct{} // closed when it has ended
}

// gated reads one line before it becomes the program in the same process. So its id can be saved
// before the program does anything. If the parent dies before that, the process just ends.
const gated = `read -r go && exec "$@" </dev/null`

// launch starts a command that waits for release.
func launch(c command) (*launched, error) {
	log, err := os.OpenFile(c.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", c.args[0], err)
	}
	defer log.Close()
	stdin, gate, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", c.args[0], err)
	}
	defer stdin.Close()

	cmd := exec.Command("/bin/sh", append([]string{"-c", gated, "sh"}, c.args...)...)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = c.dir, stdin, log, log
	// A session of its own keeps the terminal's interrupt away: only its starter ends it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if !c.detached {
		dieWithParent(cmd.SysProcAttr)
	}
	done, err := startAndReap(cmd)
	if err != nil {
		gate.Close()
		return nil, fmt.Errorf("start %s: %w", c.args[0], err)
	}
	started, err := startTime(cmd.Process.Pid)
	if err != nil {
		gate.Close()
		return nil, fmt.Errorf("start %s: %w", c.args[0], err)
	}
	return &launched{process: process{PID: cmd.Process.Pid, Started: started}, gate: gate, done: done}, nil
}

// startAndReap starts the command and waits for its end in one goroutine that keeps its thread: to
// the kernel, the parent whose death ends the child is the thread that started it, not the process.
func startAndReap(cmd *exec.Cmd) (<-chan struct{}, error) {
	started, done := make(chan error), make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(done)
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait() // how it ended is in its log
		}
	}()
	return done, <-started
}

// release lets the process become its program.
func (l *launched) release() error {
	defer l.gate.Close()
	if _, err := l.gate.WriteString("go\n"); err != nil {
		return fmt.Errorf("process %d ended before it began: %w", l.PID, err)
	}
	return nil
}

// alive tells whether this very process still runs.
func (p process) alive() bool {
	started, err := startTime(p.PID)
	return p.PID > 0 && err == nil && started == p.Started
}

// signal sends a signal to this very process; one that has ended is no error.
func (p process) signal(sig syscall.Signal) error {
	if p.PID <= 0 {
		return nil
	}
	// The handle pins the process where the system can, so that the check and the signal mean the
	// same one.
	handle, err := os.FindProcess(p.PID)
	if err != nil {
		return nil
	}
	defer func() { _ = handle.Release() }()
	if !p.alive() {
		return nil
	}
	if err := handle.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("signal %v to process %d: %w", sig, p.PID, err)
	}
	return nil
}

// freeze stops the process and returns when all its threads have stopped: after the signal, threads
// go on as long as they hold a core.
func (p process) freeze() error {
	if err := p.signal(syscall.SIGSTOP); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), killTime)
	defer cancel()
	return await(ctx, func() error {
		if still, err := frozen(p.PID); p.alive() && !still {
			return errors.Join(fmt.Errorf("process %d hasn't stopped", p.PID), err)
		}
		return nil
	})
}

// end asks the process to end and, when it still runs after the grace, ends it. No grace means at
// once.
func (p process) end(grace time.Duration) error {
	if grace > 0 {
		// A frozen process hears the request only when it goes on.
		if err := errors.Join(p.signal(syscall.SIGTERM), p.signal(syscall.SIGCONT)); err != nil {
			return err
		}
		if p.awaitEnd(grace) == nil {
			return nil
		}
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	return p.awaitEnd(killTime)
}

// killTime is how long the kernel may need to remove a killed process, or to stop one, on a busy
// machine.
const killTime = time.Minute

func (p process) awaitEnd(within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	return await(ctx, func() error {
		if p.alive() {
			return fmt.Errorf("process %d still runs", p.PID)
		}
		return nil
	})
}
