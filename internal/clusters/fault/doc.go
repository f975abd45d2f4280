// Package fault has the errors with which work on clusters fails: of which kind each is, which side
// it is about, and whether and when the work is worth another try. It knows nothing of who tries
// again.
package fault
