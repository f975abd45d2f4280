package fleet

import (
	"fmt"
	"slices"

	"rocketshift/internal/gateway/control"
	"rocketshift/plan"
)

// UnfitClients are the clients behind a gateway that the target wouldn't serve, and which share in
// what the plan moves: of others nothing depends on them.
func UnfitClients(s control.State, p plan.Plan) (all []string) {
	for _, c := range s.Clients {
		shares := slices.ContainsFunc(c.Groups, p.Groups.Match) || slices.ContainsFunc(c.Topics, p.Topics.Match)
		if c.Problem != "" && shares {
			all = append(all, fmt.Sprintf("%s at %s %s", c.ID, c.Address, c.Problem))
		}
	}
	return all
}

// Led are the groups that gateways lead: they keep their positions on both sides, exactly.
func Led(state control.State) map[string]bool {
	groups := map[string]bool{}
	for _, group := range state.Groups {
		groups[group.Group] = true
	}
	return groups
}

// PartlyMoved are the groups that read some queues on the target, and others on the source.
func PartlyMoved(state control.State) (groups []string) {
	for _, g := range state.Groups {
		if g.Source > 0 && g.Target > 0 {
			groups = append(groups, g.Group)
		}
	}
	return groups
}
