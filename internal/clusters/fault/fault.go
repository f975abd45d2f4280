package fault

import (
	"errors"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/secrets"
)

const (
	// PollAgain is the pause between two looks at something that changes within seconds.
	PollAgain = time.Second
	// ReachAgain is the pause before a side that is down is dialled again.
	ReachAgain = 3 * time.Second
	// GrantAgain is the pause before refused credentials are tried again.
	GrantAgain = 10 * time.Second
)

// Error says why work on clusters failed.
type Error struct {
	Kind Kind
	Text string
	// Side is the side that it is about, where that isn't said by the kind; "" if nobody knows.
	Side api.Side
	// Final says that another try doesn't help; otherwise Again is the pause before it.
	Final bool
	Again time.Duration
	// Calm says that it is no trouble that logs and error metrics should show.
	Calm  bool
	Cause error
}

// Error returns the text, which says what people can do.
func (e *Error) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// NotReady is what a gate answers while it doesn't pass.
func NotReady(format string, args ...any) error {
	return Again(KindNotReady, PollAgain, nil, format, args...)
}

// AccessDenied says that credentials are refused.
func AccessDenied(cause error, format string, args ...any) error {
	return Again(KindAccessDenied, GrantAgain, cause, format, args...)
}

// NotTaken says that an acknowledged write reads back otherwise.
func NotTaken(format string, args ...any) error {
	return Again(KindNotTaken, PollAgain, nil, format, args...)
}

// Unreachable says that a side doesn't answer.
func Unreachable(side api.Side, cause error, format string, args ...any) error {
	kind := KindSourceUnreachable
	if side == api.Target {
		kind = KindTargetUnreachable
	}
	return Again(kind, ReachAgain, cause, format, args...)
}

// Conflict says that an object of the target is otherwise than wanted.
func Conflict(format string, args ...any) error { return final(KindConflict, nil, format, args...) }

// Refused says that the clusters don't allow what is asked for.
func Refused(format string, args ...any) error { return final(KindRefused, nil, format, args...) }

// RefusedWord is refused for what a person said: it is no trouble of the worker's, so that its log
// shows no error.
func RefusedWord(format string, args ...any) error {
	return &Error{Kind: KindRefused, Text: fmt.Sprintf(format, args...), Final: true, Calm: true}
}

// Invalid says that the request is wrong.
func Invalid(format string, args ...any) error { return final(KindInvalid, nil, format, args...) }

func final(kind Kind, cause error, format string, args ...any) error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...), Final: true, Cause: cause}
}

// Again is an error that is tried again after the pause; calm, so that waiting doesn't fill logs
// and error metrics.
func Again(kind Kind, pause time.Duration, cause error, format string, args ...any) error {
	return &Error{Kind: kind, Text: fmt.Sprintf(format, args...), Again: pause, Calm: true, Cause: cause}
}

// Of notes in an error which side it is about; nil, errors that say it already, and those of other
// packages stay as they are.
func Of(side api.Side, err error) error {
	var e *Error
	if !errors.As(err, &e) || e.Side != "" {
		return err
	}
	about := *e
	about.Side = side
	return &about
}

// Denial is what an error about the worker's secrets means; nil if it is about anything else.
func Denial(err error) error {
	var forbidden *secrets.ForbiddenError
	var missing *secrets.MissingError
	switch {
	case errors.As(err, &forbidden):
		return final(KindForbidden, err, "%v", err)
	case errors.As(err, &missing):
		return AccessDenied(err, "%v", err)
	}
	return nil
}

// IsNotReady reports whether something measured isn't so yet.
func IsNotReady(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Kind == KindNotReady
}

// IsFinal reports whether another try doesn't help.
func IsFinal(err error) bool {
	var e *Error
	return errors.As(err, &e) && e.Final
}
