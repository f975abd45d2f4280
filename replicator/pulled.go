package replicator

import "rocketshift/internal/rocketmq"

// maxReads is how many pulls of a queue are in flight at once: with 32 messages in each, more bring nothing.
const maxReads = 8

// pulled is the answer to a pull.
type pulled struct {
	result rocketmq.PullResult
	err    error
}
