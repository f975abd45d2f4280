package activities

import (
	"errors"
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/secrets"
)

// Types of the errors of activities. Workflows and people see these names.
const (
	// NotReadyType says that something measured isn't so yet; the text has the counts and the worst
	// object. Tried again.
	NotReadyType = "NotReady"
	// SourceUnreachableType and TargetUnreachableType say that a side doesn't answer. Tried again
	// for as long as it takes.
	SourceUnreachableType = "SourceUnreachable"
	TargetUnreachableType = "TargetUnreachable"
	// AwayType says that the target hasn't answered for as long as groups may wait for it. Not
	// tried again: they are opened on the source.
	AwayType = "TargetAway"
	// AccessDeniedType says that a side refuses the credentials. Tried again slowly: somebody may
	// grant them.
	AccessDeniedType = "AccessDenied"
	// ConflictType says that an object exists on the target with other settings. Not tried again: a
	// person decides.
	ConflictType = "Conflict"
	// RefusedType says that the request can't be done as the clusters are. Not tried again.
	RefusedType = "Refused"
	// BypassedType says that applications hold up a move by gateways, as they reach brokers without
	// one; BypassingOf names them. Not tried again: people are asked for them first. Tried again
	// while it is those alone that they were asked for.
	BypassedType = "Bypassed"
	// ForbiddenType says that the plan asks for a secret of the worker to be used with a host that
	// the worker's own configuration doesn't name. Not tried again: a person corrects either.
	ForbiddenType = "Forbidden"
	// InvalidType says that the request itself is wrong. Not tried again.
	InvalidType = "Invalid"
	// CallFailedType says that a server answered a call with an error, or with what can't be read.
	// Tried again: most pass.
	CallFailedType = "CallFailed"
	// NotTakenType says that a broker acknowledged a write and didn't take it. Tried again.
	NotTakenType = "NotTaken"
	// DocumentMissingType says that a document isn't in the store, StoreUnreachableType that the
	// store doesn't work. Tried again: another worker may have it, or somebody mends it.
	DocumentMissingType  = "DocumentMissing"
	StoreUnreachableType = "StoreUnreachable"
)

const (
	// pollAgain is the pause between two looks at something that changes within seconds.
	pollAgain = time.Second
	// reachAgain is the pause before a side that is down is dialled again.
	reachAgain = 3 * time.Second
	// grantAgain is the pause before refused credentials are tried again.
	grantAgain = 10 * time.Second
)

// notReady is what a gate answers while it doesn't pass.
func notReady(format string, args ...any) error {
	return again(NotReadyType, pollAgain, nil, format, args...)
}

func accessDenied(cause error, format string, args ...any) error {
	return again(AccessDeniedType, grantAgain, cause, format, args...)
}

func notTaken(format string, args ...any) error {
	return again(NotTakenType, pollAgain, nil, format, args...)
}

func unreachable(side api.Side, cause error, format string, args ...any) error {
	kind := SourceUnreachableType
	if side == api.Target {
		kind = TargetUnreachableType
	}
	return again(kind, reachAgain, cause, format, args...)
}

func conflict(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), ConflictType, nil)
}

func refused(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), RefusedType, nil)
}

func invalid(format string, args ...any) error {
	return temporal.NewNonRetryableApplicationError(fmt.Sprintf(format, args...), InvalidType, nil)
}

// FaultOf is the side that an error is about: that doesn't answer, refuses, or answers wrongly. It
// is empty where nobody knows, and for what isn't a fault.
func FaultOf(err error) api.Side {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) {
		return ""
	}
	var side api.Side
	switch app.Type() {
	case TargetUnreachableType, AwayType:
		return api.Target
	case SourceUnreachableType:
		return api.Source
	case AccessDeniedType, CallFailedType, ForbiddenType:
		if app.HasDetails() && app.Details(&side) != nil {
			return ""
		}
	}
	return side
}

// of notes in an error of an activity which side it is about; nil and other errors stay as they
// are.
func of(side api.Side, err error) error {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.HasDetails() {
		return err
	}
	return temporal.NewApplicationErrorWithOptions(app.Message(), app.Type(),
		temporal.ApplicationErrorOptions{
			NonRetryable: app.NonRetryable(), Cause: app.Unwrap(), Details: []any{side},
			NextRetryDelay: app.NextRetryDelay(), Category: app.Category(),
		})
}

// denial is what an error about the worker's secrets means for an activity; nil if it is about
// anything else.
func denial(err error) error {
	var forbidden *secrets.ForbiddenError
	var missing *secrets.MissingError
	switch {
	case errors.As(err, &forbidden):
		return temporal.NewNonRetryableApplicationError(err.Error(), ForbiddenType, err)
	case errors.As(err, &missing):
		return accessDenied(err, "%v", err)
	}
	return nil
}

// again is an error that Temporal tries again after the pause; Benign, so that waiting doesn't fill
// logs and error metrics.
func again(kind string, pause time.Duration, cause error, format string, args ...any) error {
	return temporal.NewApplicationErrorWithOptions(fmt.Sprintf(format, args...), kind, temporal.ApplicationErrorOptions{
		NextRetryDelay: pause, Cause: cause, Category: temporal.ApplicationErrorCategoryBenign,
	})
}
