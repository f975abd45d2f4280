package failure

import (
	"errors"
	"fmt"

	"rocketshift/plan"
)

// Error is an error with its exit code and the next thing to do.
type Error struct {
	Code  int
	Next  string
	Cause error
}

func (f *Error) Error() string {
	if f.Next == "" {
		return f.Cause.Error()
	}
	return f.Cause.Error() + "; " + f.Next
}

func (f *Error) Unwrap() error { return f.Cause }

// Usage is a failure of the caller: nothing was changed.
func Usage(next, format string, args ...any) error {
	return &Error{Code: BadUsage, Next: next, Cause: fmt.Errorf(format, args...)}
}

// Broken is a failure of something that the command needs.
func Broken(next, format string, args ...any) error {
	return &Error{Code: Failed, Next: next, Cause: fmt.Errorf(format, args...)}
}

// Document is what JSON mode prints for an error.
type Document struct {
	Error    string         `json:"error"`
	Next     string         `json:"next,omitempty"`
	ExitCode int            `json:"exitCode"`
	Problems []plan.Problem `json:"problems,omitempty"`
	Of       string         `json:"-"` // the command that has the problems
}

// DocumentOf is an error as JSON mode prints it.
func DocumentOf(err error) Document {
	doc := Document{Error: err.Error(), ExitCode: Failed}
	var f *Error
	if errors.As(err, &f) {
		doc.Error, doc.Next, doc.ExitCode = f.Cause.Error(), f.Next, f.Code
	}
	var ofPlan *plan.Problems
	var found *Problems
	switch {
	case errors.As(err, &ofPlan):
		doc.Problems, doc.Of = ofPlan.List, "the plan has"
	case errors.As(err, &found):
		doc.Problems, doc.Of = found.List, found.What+" has"
	}
	return doc
}
