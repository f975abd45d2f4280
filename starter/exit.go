package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"rocketshift/plan"
	"rocketshift/workflows"
)

// Exit codes. Pipelines depend on them: they never change their meaning.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitWaiting    = 3
	exitHalted     = 4
	exitRolledBack = 5
	exitDiffers    = 6
)

const exitCodesText = `Exit codes of rocketshift:

  0  done, or running and nothing is asked of anybody
  1  failed: the migration, or the command itself (Temporal or the worker can't be reached)
  2  usage: bad flags, a bad plan, no such migration, or an answer that the migration refuses; nothing was changed
  3  waiting for an approval or for a release of applications; status shows the command that answers
  4  halted: held by a person or by a failed stage, or an activity keeps failing; status shows the cause
  5  rolled back: the applications are on the source again
  6  differs: copy found copies that aren't what their originals are, or lanes stopped with a fault; its last lines say which

status, start and report tell the state of the migration this way, other commands only their own success.
start --wait and status --wait return as soon as the code is not 0, or the migration ended; with --wait=end only at the end.
copy without --follow ends with 0 when everything is copied and equal, with 1 when it was interrupted before.
In JSON mode (-o json) every document about a migration, and the verdict of a copy, has the same number in "exitCode".
`

func newExitCodesTopic() *cobra.Command {
	return &cobra.Command{Use: "exit-codes", Short: "What the exit codes mean", Long: exitCodesText}
}

// failure is an error with its exit code and the next thing to do.
type failure struct {
	code  int
	next  string
	cause error
}

func (f *failure) Error() string {
	if f.next == "" {
		return f.cause.Error()
	}
	return f.cause.Error() + "; " + f.next
}

func (f *failure) Unwrap() error { return f.cause }

// usage is a failure of the caller: nothing was changed.
func usage(next, format string, args ...any) error {
	return &failure{code: exitUsage, next: next, cause: fmt.Errorf(format, args...)}
}

// broken is a failure of something that the command needs.
func broken(next, format string, args ...any) error {
	return &failure{code: exitFailed, next: next, cause: fmt.Errorf(format, args...)}
}

// errorDocument is what JSON mode prints for an error.
type errorDocument struct {
	Error    string         `json:"error"`
	Next     string         `json:"next,omitempty"`
	ExitCode int            `json:"exitCode"`
	Problems []plan.Problem `json:"problems,omitempty"`
	of       string         // who has the problems
}

func documentOf(err error) errorDocument {
	doc := errorDocument{Error: err.Error(), ExitCode: exitFailed}
	var f *failure
	if errors.As(err, &f) {
		doc.Error, doc.Next, doc.ExitCode = f.cause.Error(), f.next, f.code
	}
	var ofPlan *plan.Problems
	var found *problems
	switch {
	case errors.As(err, &ofPlan):
		doc.Problems, doc.of = ofPlan.List, "the plan has"
	case errors.As(err, &found):
		doc.Problems, doc.of = found.list, found.what+" has"
	}
	return doc
}

// stateCode is the exit code that tells the state of a migration.
func stateCode(s snapshot) int {
	switch s.State {
	case workflows.StateDone:
		return exitDone
	case workflows.StateRolledBack:
		return exitRolledBack
	case workflows.StateFailed:
		return exitFailed
	case workflows.StateHeld:
		return exitHalted
	}
	code := exitDone
	for _, w := range s.Waiting {
		if w.Kind == workflows.WaitingGate {
			return exitHalted
		}
		code = exitWaiting
	}
	for _, b := range s.Blocked {
		if b.stuck() {
			return exitHalted
		}
	}
	return code
}
