package gateway

import (
	"log/slog"
	"maps"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/controlserver"
	"rocketshift/internal/gateway/store"
)

// What the control API asks the gateway, beside its state and moves.

// Name is what the gateway is called among those of its migration.
func (g *Gateway) Name() string { return g.config.Name }

// Log is where it logs.
func (g *Gateway) Log() *slog.Logger { return g.log }

// Epoch counts the moves that were done.
func (g *Gateway) Epoch() int64 { return g.moves.epoch.Load() }

// MoveOf is what became of a move, if that is known.
func (g *Gateway) MoveOf(id string) (control.Moved, bool) { return g.moves.remembered(id) }

// Participant is the gateway's part in rounds that other gateways lead.
func (g *Gateway) Participant() store.Participant { return g.rounds }

// Members are the members of a group behind the gateway.
func (g *Gateway) Members(group string) (m control.Members) {
	m.Clients, m.More = control.ListClients(maps.Values(g.clients.registry.membersOf(group)))
	return m
}

// Health says how the gateway is. It serves in any state, from the last homes that it knows.
func (g *Gateway) Health() controlserver.Health {
	h := controlserver.Health{Gateway: g.config.Name, State: controlserver.HealthReady}
	if why := g.StateProblem(); why != "" {
		h.State, h.Reason = controlserver.HealthUnsaved, why+": nothing can be moved"
	}
	if why := g.checks.LetsEverybodyIn(); why != nil {
		h.State, h.Reason = controlserver.HealthOpen, why.Error()
	}
	if _, doubt := g.rounds.UnderWay(); doubt {
		h.State = controlserver.HealthDoubt
		h.Reason = "whether the last move was decided isn't known yet: sends to its ordered topics are " +
			"refused until it is"
	}
	if g.lease.Fenced() {
		h.State = controlserver.HealthFenced
		h.Reason = "no broker of either side renews its lease, and other gateways may have moved on: " +
			"sends to ordered topics are refused"
	}
	return h
}
