package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	firstLines = 15  // of a failed test's log that are printed
	lastLines  = 60  // likewise
	lineWidth  = 400 // characters; a longer line is cut, in what is printed
)

// event is one of go test's, see go doc test2json.
type event struct {
	Time                          time.Time
	Action, Package, Test, Output string
	Elapsed                       float64 // seconds, of a test that has ended: without its waits for turns
}

// results are what became of a pass's tests.
type results struct {
	byName map[test]*result
	order  []test
}

// test names a test without its subtests; an empty name stands for the package.
type test struct{ pkg, name string }

type result struct {
	attempts []attempt
}

// attempt is one run of a test.
type attempt struct {
	log            bytes.Buffer
	failed, passed bool // neither if it never came to its end
	elapsed        time.Duration
	running        time.Time // since when, if it has neither ended nor waits for its turn
}

func readEvents(name string) (*results, error) {
	file, err := os.Open(name)
	if errors.Is(err, os.ErrNotExist) {
		return &results{}, nil // nothing ran
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parse(file)
}

// parse reads go test's events. A line that isn't one is passed over: gotestsum prints it.
func parse(from io.Reader) (*results, error) {
	r := &results{byName: map[test]*result{}}
	lines := bufio.NewReader(from)
	for {
		line, err := lines.ReadBytes('\n')
		var e event
		if json.Unmarshal(line, &e) == nil && e.Package != "" {
			r.take(e)
		}
		if errors.Is(err, io.EOF) {
			return r, nil
		}
		if err != nil {
			return nil, err
		}
	}
}

func (r *results) take(e event) {
	root, _, sub := strings.Cut(e.Test, "/")
	name := test{e.Package, root}
	one := r.byName[name]
	if one == nil {
		one = &result{}
		r.byName[name], r.order = one, append(r.order, name)
	}
	if n := len(one.attempts); n == 0 || one.attempts[n-1].failed || one.attempts[n-1].passed {
		one.attempts = append(one.attempts, attempt{})
	}
	now := &one.attempts[len(one.attempts)-1]
	if e.Action == "output" {
		now.log.WriteString(e.Output)
	}
	if !sub { // a test fails with any of its subtests
		now.take(e)
	}
}

func (a *attempt) take(e event) {
	switch e.Action {
	case "run", "cont":
		a.running = e.Time
	case "pause":
		a.running = time.Time{}
	case "fail":
		a.failed = true
	case "pass", "skip":
		a.passed = true
	default:
		return
	}
	if a.failed || a.passed {
		a.running, a.elapsed = time.Time{}, time.Duration(e.Elapsed*float64(time.Second))
	}
}

// tell prints the logs of tests that failed, in short, and keeps them: in dir, or in flaky if the
// test passed later.
func (r *results) tell(out io.Writer, dir, flaky, root string) error {
	explained := map[string]bool{} // packages of which a test failed
	for _, name := range r.order {
		explained[name.pkg] = explained[name.pkg] || name.name != "" && r.byName[name].failedFirst()
	}
	for _, name := range r.order {
		one := r.byName[name]
		if !one.failedFirst() || name.name == "" && explained[name.pkg] {
			continue
		}
		says, keep := "FAILED", dir
		if one.passedLater() {
			says, keep = "FLAKY", flaky
		}
		file := filepath.Join(keep, strings.ReplaceAll(strings.Trim(name.pkg+" "+name.name, " "), "/", "-")+".log")
		log := one.attempts[0].log.Bytes()
		if err := os.WriteFile(file, log, 0o644); err != nil {
			return err
		}
		shown, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "\n%s %s %s, its log: %s\n%s", says, name.pkg, name.name, shown, shorten(log))
	}
	return nil
}

// failedFirst is also true of a test that never came to its end, as its binary panicked or was
// ended.
func (r *result) failedFirst() bool { return len(r.attempts) > 0 && !r.attempts[0].passed }

func (r *result) passedLater() bool {
	return len(r.attempts) > 1 && r.attempts[len(r.attempts)-1].passed
}

// shorten keeps the first and the last lines of a log.
func shorten(log []byte) string {
	lines := slices.Collect(bytes.Lines(log))
	var out strings.Builder
	for i, line := range lines {
		left := len(lines) - firstLines - lastLines
		switch {
		case left > 0 && i == firstLines:
			fmt.Fprintf(&out, "    ... %d lines ...\n", left)
		case left > 0 && i > firstLines && i < firstLines+left:
		default:
			line = bytes.TrimRight(line, "\n")
			if text := []rune(string(line)); len(text) > lineWidth {
				line = []byte(string(text[:lineWidth]) + " ...")
			}
			fmt.Fprintf(&out, "%s\n", line)
		}
	}
	return out.String()
}
