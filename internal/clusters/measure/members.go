package measure

import (
	"context"
	"fmt"

	"rocketshift/api"
	"rocketshift/internal/clusters"
)

// Members counts a group's connected clients on both sides.
type Members struct {
	Group  string   `json:"group"`
	Source int      `json:"source"`
	Target int      `json:"target"`
	Where  []string `json:"where,omitempty"` // addresses of those still on the side that they should leave, first 5
}

func (m Members) on(side api.Side) int {
	if side == api.Target {
		return m.Target
	}
	return m.Source
}

// StillMoving says of each group that isn't over what is missing.
func StillMoving(members []Members, from api.Side, released bool) []string {
	var open []string
	for _, m := range members {
		switch {
		case m.on(from) > 0:
			open = append(open, fmt.Sprintf("%s has %d members on the %s %v", m.Group, m.on(from), from, m.Where))
		case m.on(from.Other()) == 0 && !released:
			open = append(open, fmt.Sprintf("%s has no member on the %s yet", m.Group, from.Other()))
		}
	}
	return open
}

// CountMembers counts the groups' clients on both sides.
func CountMembers(ctx context.Context, s clusters.Both, groups []string, leaving api.Side) ([]Members, error) {
	found := map[api.Side]map[string]clusters.Connections{}
	for _, side := range []api.Side{api.Source, api.Target} {
		brokers, err := s.At(side).FindBrokers(ctx)
		if err != nil {
			return nil, err
		}
		if found[side], err = s.At(side).MembersOf(ctx, brokers, groups); err != nil {
			return nil, err
		}
	}
	all := make([]Members, 0, len(groups))
	for _, group := range groups {
		all = append(all, Members{
			Group: group, Source: len(found[api.Source][group].Members), Target: len(found[api.Target][group].Members),
			Where: found[leaving][group].Addresses(),
		})
	}
	return all, nil
}
