package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// stopTime is how long a copier may take to say goodbye: milliseconds if it gets the time to run.
const stopTime = 20 * time.Second

// copier is the process of a way at work.
type copier struct {
	cmd   *exec.Cmd
	stdin io.Closer // closing it ends the copier, and so does the death of this process
	out   bytes.Buffer
	log   string
	ended chan struct{}
	err   error // how it ended; valid after ended, as is out
}

// startCopier starts a way's command. What it logs goes to a file.
func startCopier(args []string, log string) (*copier, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, fmt.Errorf("log of the copier: %w", err)
	}
	defer file.Close()
	c := &copier{cmd: exec.Command(args[0], args[1:]...), log: log, ended: make(chan struct{})}
	c.cmd.Stdout, c.cmd.Stderr = &c.out, file
	// A group of its own keeps the terminal's interrupt away: a copier that is told to end is not
	// one that died.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", args[0], err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.ended)
	}()
	return c, nil
}

// died is the error of a copier that ended without being told to.
func (c *copier) died() error {
	return fmt.Errorf("the copier died: %v; the end of its log:\n%s", c.cmd.ProcessState, tail(c.log))
}

// stop ends the copier and returns how many of its sends failed.
func (c *copier) stop() (failed int64, last string, err error) {
	select {
	case <-c.ended:
		return 0, "", c.died()
	default:
	}
	_ = c.stdin.Close()
	late := time.NewTimer(stopTime)
	defer late.Stop()
	select {
	case <-c.ended:
	case <-late.C:
		_ = c.cmd.Process.Kill()
		<-c.ended
		return 0, "", fmt.Errorf("the copier did not end in %s and was killed; the end of its log:\n%s",
			stopTime, tail(c.log))
	}
	failed, last, found := parseFailures(c.out.String())
	if c.err != nil || !found {
		return 0, "", c.died()
	}
	return failed, last, nil
}

// cpu is the processor time of the copier's whole life, once it has ended.
func (c *copier) cpu() time.Duration {
	return c.cmd.ProcessState.UserTime() + c.cmd.ProcessState.SystemTime()
}

// tail returns the last lines of a log.
func tail(path string) string {
	const enough = 1500
	data, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-enough):])
}
