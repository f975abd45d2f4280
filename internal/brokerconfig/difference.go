package brokerconfig

// Kind says what a difference is about.
type Kind string

// Kinds of differences.
const (
	Differs   Kind = "differs"    // between source and target
	Uneven    Kind = "uneven"     // among the brokers of one side
	Unknown   Kind = "unknown"    // not told
	NoBatches Kind = "no batches" // brokers of the source that take none
)

// Difference is what applications would see, and what to do about it. A refusal stops a migration.
type Difference struct {
	Kind                Kind
	Refusal             bool
	Object, Cause, Next string
}
