package positions

import (
	"context"

	"rocketshift/replicator/lane"
)

// Traffic is what applications have written to the two queues of a lane since a position of each.
type Traffic struct {
	OnSource int64 // natives on the lane's source
	OnTarget int64 // natives on its target
	Lag      int64 // natives of both that the lanes haven't copied yet
}

// Traffic counts what applications have written to both queues of a lane that copies both ways,
// from a position of each on. It looks at the pair once.
func (p *Positions) Traffic(
	ctx context.Context, lane lane.Lane, onSource, onTarget int64,
) (Traffic, error) {
	two, err := p.pair(ctx, lane, false)
	if err != nil {
		return Traffic{}, err
	}
	defer two.unlock()
	if err := two.extend(ctx, false); err != nil {
		return Traffic{}, err
	}
	var t Traffic
	_, _, t.OnSource = two.here.around(onSource)
	_, _, t.OnTarget = two.there.around(onTarget)
	_, _, forward := two.here.around(two.there.read)
	_, _, back := two.there.around(two.here.read)
	t.Lag = forward + back
	return t, nil
}

// Ends returns where both queues of a lane end.
func (p *Positions) Ends(ctx context.Context, lane lane.Lane) (source, target int64, err error) {
	here, there := p.queues(lane)
	err = both(func() (err error) { _, source, err = here.Bounds(ctx); return err },
		func() (err error) { _, target, err = there.Bounds(ctx); return err })
	return source, target, err
}
