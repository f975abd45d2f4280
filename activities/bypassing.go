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
