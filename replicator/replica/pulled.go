package replica

import "rocketshift/internal/rocketmq"

// MaxReads is how many pulls of a queue are in flight at once. At 32 messages in each, more of them
// make nothing faster.
const MaxReads = 8

// Pulled is the answer to a pull.
type Pulled struct {
	Result rocketmq.PullResult
	Err    error
}
