package driver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/lab"
)

// background is an application that outlives the driver, by its pid file.
type background struct {
	*lab.Program
	from int64 // where its run begins in the log
}

// pidFile names an application that outlives the driver.
func (f *fleet) pidFile(a *application) string { return filepath.Join(f.dir, a.name+".pid") }

// inBackground starts an application that outlives the driver.
func inBackground(f *fleet, a *application, args []string) (running, error) {
	var from int64
	if info, err := os.Stat(f.log(a)); err == nil {
		from = info.Size()
	}
	p, err := lab.StartProgram(f.pidFile(a), f.log(a), args...)
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", a.name, err)
	}
	return &background{p, from}, nil
}

// attach finds the applications that an earlier driver started in the background.
func (f *fleet) attach() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.all() {
		p, err := lab.OpenProgram(f.pidFile(a))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		a.process, a.servers = &background{Program: p}, strings.Split(valueOf(p.Args, "-name-servers"), ",")
		instance := valueOf(p.Args, "-instance")
		// A number that can't be read is 0: the next run has the instance name of the first.
		a.starts, _ = strconv.Atoi(instance[strings.LastIndexByte(instance, '-')+1:])
	}
	return nil
}

// valueOf is the argument after a flag.
func valueOf(args []string, flag string) string {
	for i, arg := range args[:max(0, len(args)-1)] {
		if arg == flag {
			return args[i+1]
		}
	}
	return ""
}

func (b *background) awaitReady(ctx context.Context, within time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		alive := b.Alive() // before the log is read: what it said last counts
		if b.saidReady() {
			return nil
		}
		if !alive {
			return fmt.Errorf("%s ended before it was ready %s", filepath.Base(b.File), b.ending())
		}
		if err := pause(ctx, look); err != nil {
			return fmt.Errorf("%s was not ready in %s %s: %w", filepath.Base(b.File), within, b.ending(), err)
		}
	}
}

func (b *background) saidReady() bool {
	log, err := os.ReadFile(b.Log)
	if err != nil || int64(len(log)) < b.from {
		return false
	}
	return bytes.HasPrefix(log[b.from:], []byte(readyLine)) || bytes.Contains(log[b.from:], []byte("\n"+readyLine))
}

func (b *background) stop(grace time.Duration) error { return b.End(grace) }

// kill ends it at once. Whether it could be ended is seen by alive.
func (b *background) kill() { _ = b.End(0) }

func (b *background) alive() bool { return b.Alive() }

func (b *background) ending() string {
	return fmt.Sprintf("(process %d); the end of %s:\n%s", b.PID(), b.Log, tail(b.Log))
}
