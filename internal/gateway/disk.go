package gateway

import (
	"fmt"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

// A disk that can't be written doesn't end the gateway: it serves as everything stood, says so,
// moves nothing, and goes on trying to write.

// saveAgain is how soon a state is written again that couldn't be: room on a disk may come at any
// time.
const saveAgain = 2 * time.Second

// StateProblem says why what the gateway decided isn't on its disk, and since when; "" if it is.
// While there is one, clients are served as everything stood, and nothing moves.
func (g *Gateway) StateProblem() string { return g.state.Problem() }

// keepSaving writes the state again that couldn't be written.
func (g *Gateway) keepSaving() {
	for sleep.For(g.ctx, saveAgain) == nil {
		if g.StateProblem() != "" {
			_ = g.save() // which is said once
		}
	}
}

// writable refuses moves while what they decide couldn't be kept.
func (g *Gateway) writable() error {
	if g.StateProblem() == "" || g.save() == nil {
		return nil
	}
	return control.Refused("%s; make room on that disk, or make it writable: it is tried again every %s",
		g.StateProblem(), saveAgain)
}

// firstLookAtWhiteLists keeps a gateway that begins for the first time from serving with a source
// that lets everybody in. Later it serves all the same: whoever depends on it would be left without
// brokers.
func (g *Gateway) firstLookAtWhiteLists() error {
	err := g.checks.LookAtWhiteListsOf(g.ctx, routing.Source, g.sides.Source.Client())
	if err == nil || !g.state.First {
		return nil
	}
	return fmt.Errorf("gateway: %w", err)
}
