package consumers

import (
	"context"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/fleet"
	"rocketshift/plan"
)

// Sync refreshes every group once. What hinders one group doesn't stop the others; the first
// hindrance is returned.
func Sync(
	ctx context.Context, s clusters.Both, look fleet.Look, progress *api.SyncProgress,
) error {
	m, err := NewMover(ctx, s, api.Source)
	if err != nil {
		return err
	}
	groups, err := s.Source.GroupTable(ctx, m.SourceBrokers)
	if err != nil {
		return err
	}
	state, err := look(ctx, s.Plan)
	if err != nil {
		return err
	}
	if s.Plan.Traffic.Mode == plan.ModeGateway && time.Since(progress.PastAt) > fleet.PastEvery {
		progress.Past, progress.PastAt = fleet.Past(ctx, s, state, look), time.Now().UTC()
	}
	led := fleet.Led(state)
	progress.Groups, progress.Skipped, progress.Back = 0, 0, 0
	var first error
	back := *m
	back.from = api.Target
	for _, group := range groups.Selected(s.Plan) {
		if led[group] {
			progress.Skipped++
			continue
		}
		from := m
		if groups.All(group, false) {
			from = &back
		}
		written, skipped, err := from.sync(ctx, group)
		progress.Written += int64(written)
		switch {
		case err != nil && ctx.Err() != nil:
			return err
		case err != nil && first == nil:
			first = fmt.Errorf("group %s: %w", group, err)
		case skipped:
			progress.Skipped++
		case err == nil && from == &back:
			progress.Back++
		case err == nil:
			progress.Groups++
		}
	}
	return first
}

// sync refreshes one group, as far as its lanes are copied.
func (m *Mover) sync(ctx context.Context, group string) (written int, skipped bool, err error) {
	all, behind := m.moves(ctx, group, m.topicsOf(group))
	if behind != nil && !fault.IsNotReady(behind) {
		return 0, false, behind
	}
	var proved time.Time
	for _, change := range m.pending(group, all) {
		if time.Since(proved) > FenceMargin/2 {
			proved = time.Now()
			free, err := m.unowned(ctx, group)
			if err != nil || !free {
				return written, err == nil, err
			}
		}
		if err := m.writeUntil(ctx, proved.Add(FenceMargin), group, change); err != nil {
			return written, false, err
		}
		written++
	}
	return written, false, behind
}

// writeUntil gives up at the deadline: the proof that nobody else owns the position is too old
// then.
func (m *Mover) writeUntil(ctx context.Context, deadline time.Time, group string, change Move) error {
	bounded, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	to := m.from.Other()
	brokers, _ := m.Of(to)
	err := writePosition(bounded, m.At(to), clusters.AddressesOf(brokers), group, change)
	if err != nil && ctx.Err() == nil && bounded.Err() != nil {
		return fault.NotReady("the %s answered too slowly, the next round writes %s", to, change)
	}
	return err
}

// unowned reports whether nobody but Sync writes the group's positions on the side that it doesn't
// read: it has no member there, and no move is under way. A group that reads the source is open
// there on every broker; one that has moved is closed there, and open on the target.
func (m *Mover) unowned(ctx context.Context, group string) (bool, error) {
	groups, err := m.Source.GroupTable(ctx, m.SourceBrokers)
	if err != nil {
		return false, err
	}
	switch {
	case m.from == api.Source && groups.Closed(group):
		return false, nil
	case m.from == api.Target:
		there, err := m.Target.GroupTable(ctx, m.TargetBrokers)
		if err != nil || !groups.All(group, false) || !there.All(group, true) {
			return false, err
		}
	}
	to := m.from.Other()
	brokers, _ := m.Of(to)
	found, err := m.At(to).MembersOf(ctx, brokers, []string{group})
	return err == nil && len(found[group].Members) == 0, err
}
