// Package activities does what a migration's workflows decide: each method reads the state of the
// brokers, writes what is missing, and reads it back, so that a repeated call has no second effect.
// What must be waited for is asked again and again by Temporal: such an activity answers NotReady
// with the counts and the worst object, and that text is what people see. The long ones (Replicate,
// Sync, Verify) beat with their progress, checkpoint when they are cancelled, and take the brokers,
// not the heartbeat, as the record of how far they are.
package activities
