package replicator

import (
	"context"

	"rocketshift/internal/rocketmq"
)

// Options are the settings of a Replicator.
type Options struct {
	Group         string // the lanes' consumer group: progress, hints and locks stand under its name
	Holder        string // who holds the lanes' locks; unique per running activity
	BatchMessages int    // most messages in a batch; 300 if absent
	BatchBytes    int    // most bytes in a batch of several messages; 1 MiB if absent
}

// Replicator runs lanes from a source to a target.
type Replicator struct{}

// NewReplicator prepares lanes between two clusters.
func NewReplicator(source, target *rocketmq.Cluster, o Options) *Replicator { panic("stub") }

// Run copies until the context ends, then commits what it has copied, gives the locks back and returns nil. Faults stop single
// lanes and are reported as progress. It reports about once a second, and at the end.
func (r *Replicator) Run(ctx context.Context, lanes []Lane, report func(Progress)) error {
	panic("stub")
}
