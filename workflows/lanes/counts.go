package lanes

import (
	"errors"

	"go.temporal.io/sdk/temporal"

	"rocketshift/api"
)

// copiedBy is what a shard of lanes has copied so far, as far as its last activity told.
func copiedBy(s *api.Status, broker string, part int) api.Copied {
	for _, c := range s.Copied {
		if c.Broker == broker && c.Part == part {
			return c
		}
	}
	return api.Copied{Broker: broker, Part: part}
}

// countCopied takes what an activity told when it ended: lanes that start again count on from
// there.
func countCopied(s *api.Status, of api.Copied, end error) {
	var told api.ReplicationProgress
	var cancelled *temporal.CanceledError
	var late *temporal.TimeoutError
	switch {
	case errors.As(end, &cancelled) && cancelled.HasDetails():
		if cancelled.Details(&told) != nil {
			return
		}
	case errors.As(end, &late) && late.HasLastHeartbeatDetails():
		if late.LastHeartbeatDetails(&told) != nil {
			return
		}
	default:
		return
	}
	of = copiedBy(s, of.Broker, of.Part).AtLeast(told.Progress)
	for i, c := range s.Copied {
		if c.Broker == of.Broker && c.Part == of.Part {
			s.Copied[i] = of
			return
		}
	}
	s.Copied = append(s.Copied, of)
}
