package fleet

import (
	"errors"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/gateway/control"
)

const (
	// collectTime is for how long moves go on after the first one that was refused: what moves
	// moves, and people hear of all that hinder the rest, within the time-out of the activity.
	collectTime = 20 * time.Second
	// mostRefusals is how many refusals one error tells.
	mostRefusals = 5
)

// HeldUp collects for whose applications gateways refuse moves.
type HeldUp struct {
	Groups, Topics map[string]bool
	Why            []string
	since          time.Time // of the first refusal
}

// Take takes note of an error that says so, and returns any other one.
func (h *HeldUp) Take(err error) error {
	var refusal *control.RefusedError
	if !errors.As(err, &refusal) || !refusal.Bypassing.Any() {
		return err
	}
	h.add(refusal.Bypassing, err.Error())
	return nil
}

func (h *HeldUp) add(by control.Bypassing, why string) {
	if h.Groups == nil {
		h.Groups, h.Topics, h.since = map[string]bool{}, map[string]bool{}, time.Now()
	}
	for _, name := range by.Groups {
		h.Groups[name] = true
	}
	for _, name := range by.Topics {
		h.Topics[name] = true
	}
	if !slices.Contains(h.Why, why) && len(h.Why) < mostRefusals {
		h.Why = append(h.Why, why)
	}
}

// Enough reports whether people should hear of what is known by now.
func (h *HeldUp) Enough() bool { return h.Any() && time.Since(h.since) > collectTime }

// Any reports whether a move was refused.
func (h *HeldUp) Any() bool { return !h.since.IsZero() }

// Producers adds topics of the plan that applications write to on the target without a gateway
// though no home of theirs is there: nothing would bring these messages back when the lanes end.
func (h *HeldUp) Producers(state control.State, ours func(topic string) bool) {
	for _, b := range state.Bypass {
		if b.Side == string(api.Target) && ours(b.Topic) {
			h.add(control.Bypassing{Topics: []string{b.Topic}}, "producers have written to topic "+
				b.Topic+" of the target without a gateway within the last minute, from "+b.Address)
		}
	}
}
