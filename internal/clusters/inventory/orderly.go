package inventory

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/inventory/facts"
	"rocketshift/internal/findings"
	"rocketshift/internal/printable"
)

// askedFor is how long members are asked altogether: an attempt of Assess has two minutes.
const askedFor = 40 * time.Second

// howGroupsConsume asks members of each group, several at the same time, whether they consume in
// order, and tells how far it is. Groups with members of which none says it are silent; a plan can
// say it for them.
func howGroupsConsume(
	ctx context.Context, groups []string, all map[string]clusters.Connections, ask clusters.OrderAsker, tell func(string),
) (orderly map[string]bool, silent []string) {
	asking, cancel := context.WithTimeout(ctx, askedFor)
	defer cancel()
	orderly = map[string]bool{}
	live := slices.DeleteFunc(slices.Clone(groups),
		func(group string) bool { return len(all[group].Members) == 0 })
	var mu sync.Mutex
	asked := 0
	_ = clusters.Each(asking, live, func(ctx context.Context, group string) error {
		is, known := clusters.ConsumesInOrder(ctx, group, clusters.SortedKeys(all[group].Members), ask)
		mu.Lock()
		defer mu.Unlock()
		asked++
		tell(fmt.Sprintf("members of %d of %d groups asked", asked, len(live)))
		if orderly[group] = is; !known {
			silent = append(silent, group)
		}
		return nil
	})
	slices.Sort(silent)
	return orderly, silent
}

// askMember asks by the broker that the member is connected to, and notes all that the member says.
func (inv *look) askMember(c *clusters.One) clusters.OrderAsker {
	var mu sync.Mutex
	return func(ctx context.Context, group, member string) (bool, error) {
		broker := inv.online[group].Members[member].Broker
		info, err := c.Client().ConsumerRunningInfo(ctx, broker, group, member)
		if err != nil {
			return false, err
		}
		of := facts.MemberOf(info)
		mu.Lock()
		defer mu.Unlock()
		if inv.members[group] == nil {
			inv.members[group] = map[string]facts.Member{}
		}
		inv.members[group][member] = of
		return of.Orderly, nil
	}
}

const (
	// othersAsked is how many more members of a group are asked: members that differ are a mistake,
	// which is seldom one of the last of many.
	othersAsked = 7
	// othersAskedFor bounds that altogether.
	othersAskedFor = 20 * time.Second
)

// askOthers asks those members that didn't have to be asked to know how their group consumes.
func (inv *look) askOthers(ctx context.Context, groups []string, ask clusters.OrderAsker, tell func(string)) {
	asking, cancel := context.WithTimeout(ctx, othersAskedFor)
	defer cancel()
	live := slices.DeleteFunc(slices.Clone(groups),
		func(group string) bool { return len(inv.members[group]) == 0 || len(inv.online[group].Members) < 2 })
	tell(fmt.Sprintf("other members of %d groups", len(live)))
	known := map[string][]string{}
	for _, group := range live {
		for _, id := range clusters.SortedKeys(inv.online[group].Members) {
			if _, said := inv.members[group][id]; !said && len(known[group]) < othersAsked {
				known[group] = append(known[group], id)
			}
		}
	}
	_ = clusters.Each(asking, live, func(ctx context.Context, group string) error {
		for _, id := range known[group] {
			if _, known := clusters.ConsumesInOrder(ctx, group, []string{id}, ask); !known {
				break // the others of its group may be as slow
			}
		}
		return nil
	})
}

// silentFindings warns of groups whose members didn't say whether they consume in order.
func (inv *look) silentFindings() []api.Finding {
	if len(inv.silent) == 0 {
		return nil
	}
	return []api.Finding{findings.OrderUntold.Warning("groups "+printable.Few(inv.silent),
		"list their topics in topics.ordered if they are to be read in order",
		"no member of these %d groups says whether it consumes in order", len(inv.silent))}
}
