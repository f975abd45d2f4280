package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"rocketshift/internal/lab/shared"
	"rocketshift/tools/test/passes"
)

// passTime bounds a package's tests: what is waited for in them has limits of its own, which say
// what was missing.
const passTime = "75m"

// stopTime is how long the go command may take to end its tests after an interrupt.
const stopTime = 20 * time.Second

// runner runs passes, one after the other.
type runner struct {
	options
	root  string
	dir   string // what is kept of this run
	flaky string // what is kept of tests that passed in their second run, those of "make test" and of the rest together
	begin time.Time
	times []string // a line for each pass
}

func newRunner(root string, o options) (*runner, error) {
	tests := filepath.Join(root, ".run", "tests")
	r := &runner{
		options: o,
		root:    root,
		dir:     filepath.Join(tests, "last-"+o.tests),
		flaky:   filepath.Join(tests, "flaky"),
		begin:   time.Now(),
	}
	old := []string{r.dir}
	if o.tests != "rest" {
		old = append(old, r.flaky)
	}
	for _, dir := range old {
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
	}
	return r, errors.Join(os.MkdirAll(r.dir, 0o755), os.MkdirAll(r.flaky, 0o755))
}

// run runs a pass. The error names it; what failed has been told by then.
func (r *runner) run(ctx context.Context, pass passes.Pass, clusters string) error {
	if len(pass.Packages) == 0 {
		return nil
	}
	fmt.Printf("\n== tests %s: %d packages\n", pass.Name, len(pass.Packages))
	events := filepath.Join(r.dir, strings.ReplaceAll(pass.Name, " ", "-")+".json")
	again, err := r.allowed()
	if err != nil {
		return err
	}
	begin := time.Now()
	cmd := exec.CommandContext(
		ctx,
		filepath.Join(r.root, "bin", "tools", "gotestsum"),
		arguments(pass, events, again, r.busy > 0)...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = r.root, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), shared.Variable+"="+clusters)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGINT) }
	cmd.WaitDelay = stopTime
	failed := cmd.Run()
	r.times = append(r.times, fmt.Sprintf("%6.0f s  tests %s", time.Since(begin).Seconds(), pass.Name))
	results, err := readEvents(events)
	if err != nil {
		return errors.Join(failed, err)
	}
	if err := results.tell(os.Stdout, r.dir, r.flaky, r.root); err != nil {
		return err
	}
	if pass.Servers {
		fmt.Println()
		results.tellTimes(os.Stdout, time.Now())
	}
	if failed != nil {
		return fmt.Errorf("tests %s: %w", pass.Name, failed)
	}
	return nil
}

// allowed is how many tests may still fail and pass when they are run once more.
func (r *runner) allowed() (int, error) {
	so, err := os.ReadDir(r.flaky)
	return max(0, r.again-len(so)), err
}

// arguments are those of gotestsum.
func arguments(pass passes.Pass, events string, again int, busy bool) []string {
	args := []string{"--format", "pkgname", "--hide-summary", "output,skipped", "--jsonfile", events}
	if pass.Servers && again > 0 {
		args = append(
			args,
			"--rerun-fails=1",
			"--rerun-fails-run-root-test",
			fmt.Sprint("--rerun-fails-max-failures=", again),
		)
	}
	packages := make([]string, len(pass.Packages))
	for i, dir := range pass.Packages {
		packages[i] = "./" + dir
	}
	args = append(args, "--packages", strings.Join(packages, " "), "--", "-vet=off", "-timeout", passTime)
	if pass.Servers || busy {
		args = append(args, "-count=1") // what servers did in an earlier run proves nothing of this one
	}
	if pass.Together > 0 {
		args = append(args, fmt.Sprint("-p=", pass.Together))
	}
	if pass.Run != "" {
		args = append(args, "-run="+pass.Run)
	}
	if pass.Skip != "" {
		args = append(args, "-skip="+pass.Skip)
	}
	return args
}

// tell prints how long everything took.
func (r *runner) tell() {
	fmt.Println("\n== time")
	for _, line := range r.times {
		fmt.Println(line)
	}
	fmt.Printf("%6.0f s  in all\n", time.Since(r.begin).Seconds())
}
