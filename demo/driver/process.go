package driver

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// process is a program that the demo runs in the background. Its output goes to a log file.
type process struct {
	name  string
	log   string
	cmd   *exec.Cmd
	ready chan string   // the line that says that it is at work
	line  string        // that line, when it is ready
	ended chan struct{} // closed when it has ended
	err   error         // how it ended; valid after ended
}

// spawn starts a program. readyPrefix is how the line begins that it prints when it is at work.
func spawn(name, log, readyPrefix string, env []string, args ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	p := &process{
		name:  name,
		log:   log,
		cmd:   exec.Command(args[0], args[1:]...),
		ready: make(chan string, 1),
		ended: make(chan struct{}),
	}
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stderr = file
	out, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	p.cmd.Stdout = in
	// A session of its own keeps the terminal's Ctrl-C away: the driver ends its programs in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	dieWithParent(p.cmd.SysProcAttr)
	err = p.run()
	_ = in.Close()
	if err != nil {
		_ = out.Close()
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go p.listen(out, readyPrefix)
	return p, nil
}

// run starts the program and waits for its end on one thread: to the kernel, the parent is the
// thread that started it.
func (p *process) run() error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		started <- err
		if err == nil {
			p.err = p.cmd.Wait()
		}
		close(p.ended)
	}()
	return <-started
}

// listen copies standard output to the log and finds the ready line.
func (p *process) listen(out io.ReadCloser, prefix string) {
	defer out.Close()
	file, err := os.OpenFile(p.log, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer file.Close()
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		fmt.Fprintln(file, lines.Text())
		if strings.HasPrefix(lines.Text(), prefix) {
			select {
			case p.ready <- lines.Text():
			default:
			}
		}
	}
}

// awaitReady waits until the program says that it is at work.
func (p *process) awaitReady(ctx context.Context, within time.Duration) error {
	timeout := time.NewTimer(within)
	defer timeout.Stop()
	select {
	case p.line = <-p.ready:
		return nil
	case <-p.ended:
		return fmt.Errorf("%s ended before it was ready %s", p.name, p.ending())
	case <-timeout.C:
		return fmt.Errorf("%s was not ready in %s; the end of %s:\n%s", p.name, within, p.log, tail(p.log))
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop asks the program to end, and ends it when it takes longer than grace. The error is how it
// ended.
func (p *process) stop(grace time.Duration) error {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	timeout := time.NewTimer(grace)
	defer timeout.Stop()
	select {
	case <-p.ended:
		if p.err != nil {
			return fmt.Errorf("%s ended badly: %w; the end of %s:\n%s", p.name, p.err, p.log, tail(p.log))
		}
		return nil
	case <-timeout.C:
		p.kill()
		return fmt.Errorf("%s did not end in %s and was killed; see %s", p.name, grace, p.log)
	}
}

// kill ends the program at once.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.ended
}

// alive reports whether the program still runs.
func (p *process) alive() bool {
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// ending says how the program ended, and what it said last.
func (p *process) ending() string {
	return fmt.Sprintf("(%v); the end of %s:\n%s", p.err, p.log, tail(p.log))
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
