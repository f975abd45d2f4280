package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// slowTests are how many of the slowest tests are told.
const slowTests = 12

// slowEnough is what a test must take to be told among the slowest.
const slowEnough = 20 * time.Second

// tellTimes prints which tests hadn't ended, and which of the others took longest: a run that was
// ended because it took too long then says why.
func (r *results) tellTimes(out io.Writer, now time.Time) {
	type timed struct {
		test
		took time.Duration
	}
	var ended, running []timed
	for _, name := range r.order {
		if name.name == "" {
			continue
		}
		last := r.byName[name].last()
		switch {
		case !last.running.IsZero():
			running = append(running, timed{name, now.Sub(last.running)})
		case last.elapsed >= slowEnough:
			ended = append(ended, timed{name, last.elapsed})
		}
	}
	tell := func(what string, all []timed) {
		slices.SortStableFunc(all, func(a, b timed) int { return cmp.Compare(b.took, a.took) })
		for _, one := range all[:min(slowTests, len(all))] {
			fmt.Fprintf(out, "%6.0f s  %s %s %s\n", one.took.Seconds(), what, one.pkg, one.name)
		}
	}
	tell("still running:", running)
	tell("slowest:", ended)
}

func (r *result) last() *attempt { return &r.attempts[len(r.attempts)-1] }
