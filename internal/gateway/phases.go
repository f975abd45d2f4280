package gateway

// reached tells tests how far a round is.
func (g *Gateway) reached(phase string) {
	if g.atPhase != nil {
		g.atPhase(phase)
	}
}
