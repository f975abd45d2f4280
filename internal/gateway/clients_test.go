package gateway

// clients are the clients behind the gateway, by their ids.
func (g *Gateway) clients() map[string]Connected {
	all := map[string]Connected{}
	for of, one := range g.connected() {
		all[of.id] = all[of.id].and(one)
	}
	return all
}
