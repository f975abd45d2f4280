package copyjob

import (
	"time"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/verify"
)

// Job is one copy at work.
type Job struct {
	Request
	Source, Target *rocketmq.Cluster
	lanes          []lane.Lane
	fromSlaves     []string // brokers of the source without a master, of which a slave is read
	notSeen        []string // what the copy ignores, each as a sentence
	Now            func() time.Time
	tell           func(verify.Difference) // writes differences to their file; nil without one
}
