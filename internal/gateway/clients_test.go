package gateway

import "rocketshift/internal/gateway/control"

// clients are the clients behind the gateway, by their ids.
func (g *Gateway) clients() map[string]control.Connected {
	all := map[string]control.Connected{}
	for of, one := range g.registry.connected() {
		all[of.ID] = all[of.ID].And(one)
	}
	return all
}
