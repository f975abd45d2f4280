package verify

import (
	"context"
	"slices"

	"rocketshift/replicator/lane"
)

// maxGaps is how many gaps a checkpoint carries, so that it stays small. A lane that has more is
// compared from its beginning again.
const maxGaps = 100

// Checkpoint is how far a comparison is, with all that it needs to go on from there.
type Checkpoint struct {
	Report    Report      `json:"report"`    // so far
	Read      int64       `json:"read"`      // source offset up to which originals were read
	Position  int64       `json:"position"`  // on the target, where the comparison goes on
	TargetEnd int64       `json:"targetEnd"` // where it ends there
	Newest    int64       `json:"newest"`    // highest stamped offset seen on the target, -1 before the first
	Back      int64       `json:"back"`      // the same of the reverse lane on the source
	Expired   bool        `json:"expired,omitempty"`
	Gaps      []lane.Span `json:"gaps,omitempty"` // what is missing so far
	// there are more gaps than it carries: a comparison begins again
	TooMany bool `json:"tooMany,omitempty"`
}

func (v *verification) checkpoint() Checkpoint {
	c := Checkpoint{
		Report: v.Report, Read: v.source.at(), Position: v.target.at(), TargetEnd: v.target.end,
		Newest: v.newest, Back: v.back, Expired: v.expired,
	}
	if c.TooMany = len(v.missing) > maxGaps; !c.TooMany {
		c.Gaps = slices.Clone(v.missing)
	}
	return c
}

// resumed goes on from a checkpoint; false if the queues don't fit it any more.
func (c comparison) resumed(ctx context.Context) (*verification, bool, error) {
	lane, from := c.lane, c.options.Resume
	if from == nil || from.TooMany || from.Report.Topic != lane.Topic || from.Report.Source != lane.Source ||
		from.Report.Target != lane.Target {
		return nil, false, nil
	}
	source, target := c.queues()
	first, end, err := source.Bounds(ctx)
	if err != nil || end < from.Report.To {
		return nil, false, err
	}
	start, to, err := target.Bounds(ctx)
	if err != nil || to < from.TargetEnd || start > from.Position {
		return nil, false, err
	}
	v := c.verification(from.Report)
	v.Examples, v.missing = slices.Clone(from.Report.Examples), slices.Clone(from.Gaps)
	v.newest, v.back, v.expired, v.begin, v.end = from.Newest, from.Back, from.Expired, first, end
	v.source, v.target = newCursor(source, max(first, from.Read), from.Report.To), newCursor(target,
		from.Position, from.TargetEnd)
	return v, true, nil
}
