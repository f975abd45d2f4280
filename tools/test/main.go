// Test runs the project's tests: those of "make test", those that "make test-all" has besides, or
// both. Packages print a line each; of tests that fail it prints what they logged, in short, and
// says where the rest is.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"rocketshift/internal/lab"
	"rocketshift/internal/lab/shared"
	"rocketshift/tools/test/passes"
)

// startTime is for all shared clusters together, on a busy machine too; the lab has limits of its
// own for each.
const startTime = 5 * time.Minute

// options are what the Makefile asks for.
type options struct {
	tests string // quick, rest or all
	again int    // how many tests that fail may pass when they are run once more
	busy  int    // how many processes spin meanwhile
}

func main() {
	if len(os.Args) == 2 && os.Args[1] == spinArgument {
		spin()
	}
	var o options
	flag.StringVar(
		&o.tests,
		"tests",
		"quick",
		"quick: those of make test; rest: those that make test-all has besides; all",
	)
	flag.IntVar(
		&o.again,
		"again",
		0,
		"how many tests with servers that fail may pass in a second run; they are told as FLAKY",
	)
	flag.IntVar(&o.busy, "busy", 0, "how many processes spin meanwhile")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "test:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (err error) {
	root, err := lab.Root()
	if err != nil {
		return err
	}
	todo, err := choose(root, o.tests)
	if err != nil {
		return err
	}
	end, err := startSpinning(o.busy)
	if err != nil {
		return err
	}
	defer end()
	r, err := newRunner(root, o)
	if err != nil {
		return err
	}
	starting := startClusters(ctx, root)
	defer func() { err = errors.Join(err, (<-starting).end()) }()
	var failed error
	for _, pass := range todo {
		var clusters string
		if pass.Servers {
			got := <-starting
			starting <- got // for the next pass, and for the end
			if got.err != nil {
				return got.err
			}
			clusters = got.clusters.Dir
		}
		if err := r.run(ctx, pass, clusters); err != nil {
			failed = errors.Join(failed, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	r.tell()
	return failed
}

// choose returns the passes to run.
func choose(root, which string) ([]passes.Pass, error) {
	tests, err := passes.Find(root)
	if err != nil {
		return nil, err
	}
	quick, rest := passes.All(tests)
	switch which {
	case "quick":
		return quick, nil
	case "rest":
		return rest, nil
	case "all":
		return append(quick, rest...), nil
	}
	return nil, fmt.Errorf("-tests is %q, but one of quick, rest and all is wanted", which)
}

// started are the shared clusters, or why they don't serve.
type started struct {
	clusters *shared.Clusters
	err      error
}

func (s started) end() error {
	if s.clusters == nil {
		return nil
	}
	return s.clusters.End()
}

// startClusters starts the shared clusters while tests without servers run.
func startClusters(ctx context.Context, root string) chan started {
	done := make(chan started, 1)
	go func() {
		ctx, cancel := context.WithTimeout(ctx, startTime)
		defer cancel()
		clusters, err := shared.Start(ctx, root, filepath.Join(root, ".run", "test-clusters"))
		done <- started{clusters, err}
	}()
	return done
}
