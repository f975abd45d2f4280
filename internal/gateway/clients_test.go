package gateway

import (
	"log/slog"

	"rocketshift/internal/gateway/control"
)

// clients are the clients behind the gateway, by their ids.
func (g *Gateway) clientsHere() map[string]control.Connected {
	all := map[string]control.Connected{}
	for of, one := range g.clients.registry.connected() {
		all[of.ID] = all[of.ID].And(one)
	}
	return all
}

// logsTo has everything said elsewhere.
func (g *Gateway) logsTo(l *slog.Logger) { g.log, g.clients.log = l, l }
