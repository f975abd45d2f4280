package copyjob

import (
	"context"
	"fmt"
	"strings"

	"rocketshift/internal/failure"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
	"rocketshift/replicator/replica"
)

// singly says, before anything is copied, to which brokers lanes must send each message alone,
// which is slower.
func (c *Job) singly(ctx context.Context) (notes []string, err error) {
	notes, err = singlyTo(ctx, c.To, c.Target)
	if err != nil || !c.bothWays {
		return notes, err
	}
	back, err := singlyTo(ctx, c.From, c.Source)
	return append(notes, back...), err
}

func singlyTo(ctx context.Context, e endpoint, cluster *rocketmq.Cluster) ([]string, error) {
	alone, unsure, err := replica.Singly(ctx, cluster)
	if err != nil {
		return nil, failure.Broken(
			"run it again when all brokers answer",
			"which batches the %s takes: %w",
			e.side,
			err,
		)
	}
	return singlyNotes(e.side, alone, unsure), nil
}

func singlyNotes(side lane.Side, alone, unsure []string) (notes []string) {
	if len(alone) > 0 {
		notes = append(notes, fmt.Sprintf(
			"broker %s of the %s takes no batches (DLedger before 4.8.0): messages are sent there one by one, "+
				"which is slower, and without what would delay them once more",
			strings.Join(alone, ", "), side))
	}
	if len(unsure) > 0 {
		notes = append(notes, fmt.Sprintf(
			"broker %s of the %s doesn't tell whether it takes batches: if it takes none (DLedger before 4.8.0), "+
				"messages are sent there one by one, which is slower",
			strings.Join(unsure, ", "), side))
	}
	return notes
}
