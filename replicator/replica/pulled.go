package replica

import "rocketshift/internal/rocketmq"

// MaxReads is how many pulls of a queue are in flight at once: with 32 messages in each, more bring
// nothing.
const MaxReads = 8

// Pulled is the answer to a pull.
type Pulled struct {
	Result rocketmq.PullResult
	Err    error
}
