// Package rounds makes all gateways of a migration decide as one.
//
// A move is made of rounds: the homes of queues, one group's side, or the authority. In a round one
// gateway leads, and all gateways of the migration take part, the leader among them:
//
//	prepare   sends or pulls wait everywhere; who leads learns what each one knows
//	(proof)   who leads finds the place that is the same on both sides
//	ready     everybody has the outcome on disk
//	(witness) who leads has it on record with a broker that the round is decided
//	commit    everybody goes by the outcome, and lets go what has waited
//
// Whatever fails before it is decided ends in abort, and everything is as it was. Who hears nothing
// more until the budget has passed aborts by itself, or, if it was ready, finds out what was
// decided: see doubt.go.
//
// What waits, what an outcome changes, and who the witness is, is behind interfaces.
package rounds
