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
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/gateway"
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

const (
	// collectTime is for how long moves go on after the first one that was refused: what moves
	// moves, and people hear of all that hinder the rest, within the time-out of the activity.
	collectTime = 20 * time.Second
	// mostRefusals is how many refusals one error tells.
	mostRefusals = 5
)

// heldUp collects for whose applications gateways refuse moves.
type heldUp struct {
	groups, topics map[string]bool
	why            []string
	since          time.Time // of the first refusal
}

// take takes note of an error that says so, and returns any other one.
func (h *heldUp) take(err error) error {
	var refusal *gateway.RefusedError
	if !errors.As(err, &refusal) || !refusal.Bypassing.Any() {
		return err
	}
	h.add(refusal.Bypassing, err.Error())
	return nil
}

func (h *heldUp) add(by gateway.Bypassing, why string) {
	if h.groups == nil {
		h.groups, h.topics, h.since = map[string]bool{}, map[string]bool{}, time.Now()
	}
	for _, name := range by.Groups {
		h.groups[name] = true
	}
	for _, name := range by.Topics {
		h.topics[name] = true
	}
	if !slices.Contains(h.why, why) && len(h.why) < mostRefusals {
		h.why = append(h.why, why)
	}
}

// enough reports whether people should hear of what is known by now.
func (h *heldUp) enough() bool { return !h.since.IsZero() && time.Since(h.since) > collectTime }

// producers adds topics of the plan that applications write to on the target without a gateway
// though no home of theirs is there: nothing would bring these messages back when the lanes end.
func (h *heldUp) producers(state gateway.State, ours func(topic string) bool) {
	for _, b := range state.Bypass {
		if b.Side == string(api.Target) && ours(b.Topic) {
			h.add(gateway.Bypassing{Topics: []string{b.Topic}}, "producers have written to topic "+
				b.Topic+" of the target without a gateway within the last minute, from "+b.Address)
		}
	}
}

// outcome is how an activity ends whose moves are held up; nil if none was. Asked are those whom
// people were asked for already, nil of a workflow that doesn't ask. While it is these alone, the
// moves are tried again, the more rarely the longer it takes; anybody else ends the activity.
func (h *heldUp) outcome(ctx context.Context, s Settings, r Request, asked *Bypassing) error {
	if h.since.IsZero() {
		return nil
	}
	text := strings.Join(h.why, "; ")
	if asked == nil {
		return fault.NotReady("%s", text)
	}
	groups, errGroups := lists.Resolve(ctx, s.Store, asked.Groups)
	topics, errTopics := lists.Resolve(ctx, s.Store, asked.Topics)
	known := errGroups == nil && errTopics == nil
	// without the store nobody knows who was asked: whoever holds the moves up is told then
	if known && within(h.groups, groups) && within(h.topics, topics) {
		age := time.Since(activity.GetInfo(ctx).ScheduledTime)
		return fault.Again(fault.KindBypassed, min(max(fault.PollAgain, age/lookShare), lookLater), nil, "%s", text)
	}
	for _, name := range groups {
		h.groups[name] = true
	}
	for _, name := range topics {
		h.topics[name] = true
	}
	return temporal.NewApplicationErrorWithOptions(text, BypassedType,
		temporal.ApplicationErrorOptions{
			NonRetryable: true, Category: temporal.ApplicationErrorCategoryBenign,
			Details: []any{Bypassing{
				Groups: named(ctx, s, r, "groups that bypass gateways", h.groups),
				Topics: named(ctx, s, r, "topics of producers that bypass gateways", h.topics),
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
