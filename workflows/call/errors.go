package call

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"rocketshift/activities"
	"rocketshift/api"
)

// The types of errors of workflows, beside those of activities. Histories and tools know them by
// these names.
const (
	// AlreadyRunningType: a stage runs already, started alone or before a reset.
	AlreadyRunningType = "AlreadyRunning"
	// InvalidPlanType: the workflow isn't one for such a plan.
	InvalidPlanType = "InvalidPlan"
	// DiffersType: the copy isn't what the source has.
	DiffersType = "VerifyFailed"
	// FenceBudgetType: groups were refused for as long as the plan allows.
	FenceBudgetType = "FenceBudget"
	// NoEvidenceType: a check measured nothing.
	NoEvidenceType = "NoEvidence"
	// NotRolledBackType: it ended before everything was back.
	NotRolledBackType = "NotRolledBack"
	// UnfinishedType: Rollback ended before everything was back.
	UnfinishedType = "Unfinished"
)

// RootMessage is the innermost error's own text: what a person wants to read.
func RootMessage(err error) string {
	var app *temporal.ApplicationError
	if errors.As(err, &app) {
		return app.Message()
	}
	return err.Error()
}

// Lasts reports whether an error would be the same at another try.
func Lasts(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.NonRetryable()
}

// IsLost reports whether work ended because a document isn't in the workers' store.
func IsLost(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == activities.DocumentMissingType
}

// IsAway reports whether work ended because the target doesn't answer, or refuses.
func IsAway(err error) bool { return activities.FaultOf(err) == api.Target }

// AwayText says so.
func AwayText(err error) string {
	var app, cause *temporal.ApplicationError
	if errors.As(err, &app) && app.Type() == activities.AwayType && errors.As(app.Unwrap(), &cause) {
		app = cause // what it was away for
	}
	if app == nil || app.Type() == activities.AwayType ||
		app.Type() == activities.TargetUnreachableType {
		return "the target doesn't answer"
	}
	return app.Message()
}
