package consumers

import (
	"context"
	"slices"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
)

// Stranded are groups that read on neither side, by the side on which they can go on.
type Stranded struct {
	Source []string `json:"source,omitempty"`
	Target []string `json:"target,omitempty"` // they had moved
	// Asked are open on the target, and their members wait on the source: applications were asked
	// to move, and some may be on their way.
	Asked []string `json:"asked,omitempty"`
	// Away says that the target doesn't answer.
	Away bool `json:"away,omitempty"`
}

// FindStranded sorts the groups that read nowhere. Waiting are those with members on the source.
func FindStranded(
	ctx context.Context, both clusters.Both, fenced, waiting []string,
) (all Stranded, err error) {
	if both.Target.Proxy() != "" { // which closes no group
		return all, nil
	}
	m, err := NewMover(ctx, both, api.Source)
	if err != nil {
		return all, err
	}
	table, err := both.Target.GroupTable(ctx, m.TargetBrokers)
	if err != nil {
		return all, err
	}
	there, err := both.Target.WithMembers(ctx, m.TargetBrokers, fenced)
	if err != nil {
		return all, err
	}
	for _, group := range fenced {
		open, waits := table.All(group, true), slices.Contains(waiting, group)
		if slices.Contains(there, group) {
			if !open {
				all.Target = append(all.Target, group)
			}
			continue
		}
		read, err := m.hasRead(ctx, group)
		switch {
		case fault.IsNotReady(err): // the lanes are behind, so nobody can tell
			read = open || !waits
		case err != nil:
			return all, err
		}
		switch {
		case read && !open:
			all.Target = append(all.Target, group)
		case !read && !open:
			all.Source = append(all.Source, group)
		case !read && waits:
			all.Asked = append(all.Asked, group)
		}
	}
	return all, nil
}

// hasRead reports whether a group has read on the target beyond where it stands on the source.
func (m *Mover) hasRead(ctx context.Context, group string) (bool, error) {
	moves, err := m.moves(ctx, group, m.topicsOf(group))
	if err != nil {
		return false, err
	}
	for _, mv := range m.pending(group, moves) {
		if now, known := m.have[api.Target][group][mv.topic][mv.queue]; known && now > mv.offset {
			return true, nil
		}
	}
	return false, nil
}
