package activities

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/internal/documents/lists"
)

// Types of the errors of activities. Workflows and people see these names.
const (
	// NotReadyType says that something measured isn't so yet; the text has the counts and the worst
	// object. Tried again.
	NotReadyType = string(fault.KindNotReady)
	// SourceUnreachableType and TargetUnreachableType say that a side doesn't answer. Tried again
	// for as long as it takes.
	SourceUnreachableType = string(fault.KindSourceUnreachable)
	TargetUnreachableType = string(fault.KindTargetUnreachable)
	// AwayType says that the target hasn't answered for as long as groups may wait for it. Not
	// tried again: they are opened on the source.
	AwayType = "TargetAway"
	// AccessDeniedType says that a side refuses the credentials. Tried again slowly: somebody may
	// grant them.
	AccessDeniedType = string(fault.KindAccessDenied)
	// ConflictType says that an object exists on the target with other settings. Not tried again: a
	// person decides.
	ConflictType = string(fault.KindConflict)
	// RefusedType says that the request can't be done as the clusters are. Not tried again.
	RefusedType = string(fault.KindRefused)
	// BypassedType says that applications hold up a move by gateways, as they reach brokers without
	// one; BypassingOf names them. Not tried again: people are asked for them first. Tried again
	// while it is those alone that they were asked for.
	BypassedType = string(fault.KindBypassed)
	// ForbiddenType says that the plan asks for a secret of the worker to be used with a host that
	// the worker's own configuration doesn't name. Not tried again: a person corrects either.
	ForbiddenType = string(fault.KindForbidden)
	// InvalidType says that the request itself is wrong. Not tried again.
	InvalidType = string(fault.KindInvalid)
	// CallFailedType says that a server answered a call with an error, or with what can't be read.
	// Tried again: most pass.
	CallFailedType = string(fault.KindCallFailed)
	// NotTakenType says that a broker acknowledged a write and didn't take it. Tried again.
	NotTakenType = string(fault.KindNotTaken)
	// DocumentMissingType says that a document isn't in the store, StoreUnreachableType that the
	// store doesn't work. Tried again: another worker may have it, or somebody mends it.
	DocumentMissingType  = string(fault.KindDocumentMissing)
	StoreUnreachableType = string(fault.KindStoreUnreachable)
)

// FaultOf is the side that an error is about: that doesn't answer, refuses, or answers wrongly. It
// is empty where nobody knows, and for what isn't a fault.
func FaultOf(err error) api.Side {
	var app *temporal.ApplicationError
	if !errors.As(asTemporal(err), &app) {
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

// explained turns the error that an activity ends with into Temporal's.
func explained(err *error) { *err = asTemporal(*err) }

// asTemporal is an error of the work on clusters as Temporal needs it: its kind is the type, its
// side the detail, and its pause the delay of the next attempt. Calm ones are Benign, so that
// waiting doesn't fill logs and error metrics. All others stay as they are.
//
// What was said around the error is part of the text: an ApplicationError that is itself wrapped
// reaches the server without its type, and is tried again even if it is final.
func asTemporal(err error) error {
	var known *temporal.ApplicationError
	var f *fault.Error
	if errors.As(err, &known) || !errors.As(err, &f) {
		return err
	}
	options := temporal.ApplicationErrorOptions{
		NonRetryable: f.Final, Cause: f.Cause, NextRetryDelay: f.Again,
	}
	if f.Calm {
		options.Category = temporal.ApplicationErrorCategoryBenign
	}
	if f.Side != "" {
		options.Details = []any{f.Side}
	}
	return temporal.NewApplicationErrorWithOptions(err.Error(), string(f.Kind), options)
}

// Bypassing are groups and topics whose applications reach brokers without a gateway, and so hold
// up a move: people have to point these to the gateways.
type Bypassing struct {
	Groups api.Names `json:"groups,omitzero"`
	Topics api.Names `json:"topics,omitzero"`
}

// BypassingOf is whose applications hold up what an activity was to do, by its error of
// BypassedType.
func BypassingOf(err error) (by Bypassing, is bool) {
	var app *temporal.ApplicationError
	if !errors.As(err, &app) || app.Type() != BypassedType || !app.HasDetails() ||
		app.Details(&by) != nil {
		return Bypassing{}, false
	}
	return by, true
}

// StillBypassed reports whether those whom people were asked for hold up what an activity was to
// do.
func StillBypassed(err error) bool {
	var app *temporal.ApplicationError
	return errors.As(err, &app) && app.Type() == BypassedType && !app.NonRetryable()
}

// outcomeOf is how an activity ends whose moves are held up; nil if none was. Asked are those whom
// people were asked for already, nil of a workflow that doesn't ask. While it is these alone, the
// moves are tried again, the more rarely the longer it takes; anybody else ends the activity.
func outcomeOf(
	ctx context.Context, h *fleet.HeldUp, s Settings, r Request, asked *Bypassing,
) error {
	if !h.Any() {
		return nil
	}
	text := strings.Join(h.Why, "; ")
	if asked == nil {
		return fault.NotReady("%s", text)
	}
	groups, errGroups := lists.Resolve(ctx, s.Store, asked.Groups)
	topics, errTopics := lists.Resolve(ctx, s.Store, asked.Topics)
	known := errGroups == nil && errTopics == nil
	// without the store nobody knows who was asked: whoever holds the moves up is told then
	if known && within(h.Groups, groups) && within(h.Topics, topics) {
		age := time.Since(activity.GetInfo(ctx).ScheduledTime)
		return fault.Again(fault.KindBypassed, min(max(fault.PollAgain, age/lookShare), lookLater), nil, "%s", text)
	}
	for _, name := range groups {
		h.Groups[name] = true
	}
	for _, name := range topics {
		h.Topics[name] = true
	}
	return temporal.NewApplicationErrorWithOptions(text, BypassedType,
		temporal.ApplicationErrorOptions{
			NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign,
			Details: []any{Bypassing{
				Groups: named(ctx, s, r, "groups that bypass gateways", h.Groups),
				Topics: named(ctx, s, r, "topics of producers that bypass gateways", h.Topics),
			}},
		})
}

// within reports whether all names are among the others.
func within(names map[string]bool, others []string) bool {
	among := map[string]bool{}
	for _, name := range others {
		among[name] = true
	}
	for name := range names {
		if !among[name] {
			return false
		}
	}
	return true
}

// named are sorted names as they may stand in a history.
func named(ctx context.Context, s Settings, r Request, kind string, names map[string]bool) api.Names {
	return lists.InlineAtWorst(ctx, s.lists(r), kind, slices.Sorted(maps.Keys(names)))
}
