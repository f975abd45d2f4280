package gateway

// Phases of a round that a gateway leads.
const (
	phasePrepared  = "prepared"  // everything waits
	phaseProved    = "proved"    // the outcome is known
	phaseReady     = "ready"     // everybody has it on disk
	phaseDecided   = "decided"   // the witness has it
	phaseWritten   = "written"   // the new state is on disk, beside the old one
	phaseReplaced  = "replaced"  // it is the one that a restart finds
	phaseCommitted = "committed" // everybody goes by it
	phaseStays     = "stays"     // it is looked whether a group's members are known on the target
)

// reached tells tests how far a round is.
func (g *Gateway) reached(phase string) {
	if g.atPhase != nil {
		g.atPhase(phase)
	}
}
