package activities

import (
	"context"
	"fmt"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
)

// GroupPositions is what was translated and written for one group.
type GroupPositions struct {
	Group  string `json:"group"`
	Queues int    `json:"queues"`
	Exact  int    `json:"exact"`
}

// Translate writes the groups' positions on the side that they will read next. Side is where they
// read until now; they are fenced there and have settled. It waits until the lanes hold everything
// below the positions, and until nobody who could overwrite them is connected on the other side.
func (t *Traffic) Translate(ctx context.Context, r GroupsRequest) (_ []GroupPositions, err error) {
	defer explained(&err)
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return nil, err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	if r.Side != api.Source && r.Side != api.Target {
		return nil, fault.Invalid("side %q: choose source or target", r.Side)
	}
	var done []GroupPositions
	err = poll(ctx, func() error {
		m, err := newMover(ctx, both, r.Side)
		if err != nil {
			return err
		}
		done = nil
		for _, group := range groups {
			activity.RecordHeartbeat(ctx, "group "+group)
			written, err := m.carry(ctx, group)
			if err != nil {
				return err
			}
			done = append(done, written)
		}
		return nil
	})
	return done[:min(len(done), fewOf(r.Request))], err
}

// carry brings the positions of one group over.
func (m *mover) carry(ctx context.Context, group string) (GroupPositions, error) {
	next := m.from.Other()
	brokers, _ := m.Of(next)
	if err := m.At(next).Mastered(brokers); err != nil {
		return GroupPositions{}, err
	}
	there, err := m.At(next).MembersOf(ctx, brokers, []string{group})
	if err != nil {
		return GroupPositions{}, err
	}
	moves, err := m.moves(ctx, group, m.topicsOf(group, there[group]))
	if err != nil {
		return GroupPositions{}, err
	}
	changes := m.pending(group, moves)
	if len(changes) > 0 && len(there[group].Members) > 0 {
		return GroupPositions{}, fault.NotReady(
			"group %s already has %d members on the %s, which would overwrite its positions: stop %s", group,
			len(there[group].Members), next, printable.Few(there[group].Addresses()),
		)
	}
	err = clusters.Each(ctx, changes, func(ctx context.Context, change move) error {
		return writePosition(ctx, m.At(next), clusters.AddressesOf(brokers), group, change)
	})
	if err != nil {
		return GroupPositions{}, err
	}
	done := GroupPositions{Group: group, Queues: len(moves)}
	for _, mv := range moves {
		if mv.exact {
			done.Exact++
		}
	}
	return done, nil
}

// Moved lists the groups that an earlier move opened on the target: fenced on every broker of the
// source, open on the target.
func (t *Traffic) Moved(ctx context.Context, r GroupsRequest) (_ []string, err error) {
	defer explained(&err)
	groups, err := t.settings.groups(ctx, r)
	if err != nil {
		return nil, err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return nil, err
	}
	tables := map[api.Side]clusters.GroupTable{}
	for _, side := range []api.Side{api.Source, api.Target} {
		brokers, err := both.At(side).FindBrokers(ctx)
		if err != nil {
			return nil, err
		}
		if tables[side], err = both.At(side).GroupTable(ctx, brokers); err != nil {
			return nil, err
		}
	}
	moved := []string{}
	for _, group := range groups {
		if tables[api.Source].All(group, false) && tables[api.Target].All(group, true) {
			moved = append(moved, group)
		}
	}
	return moved, nil
}

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

// AwaitMembers waits until every group has left From and is seen on the other side; when the
// pipeline reported it done, leaving is enough, as members behind a proxy aren't seen by brokers.
func (t *Traffic) AwaitMembers(
	ctx context.Context, r AwaitMoveRequest,
) (members []Members, err error) {
	defer explained(&err)
	err = waiting{away: r.Away}.until(ctx, func() error {
		both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
		if err != nil {
			return err
		}
		groups, err := lists.Resolve(ctx, t.settings.Store, r.Groups)
		if err != nil {
			return err
		}
		if members, err = countClients(ctx, both, groups, r.From); err != nil {
			return err
		}
		if open := stillMoving(members, r.From, r.Released); len(open) > 0 {
			return fault.NotReady("%d of %d groups are still moving to the %s: %s", len(open), len(groups),
				r.From.Other(), printable.Few(open))
		}
		return nil
	})
	return members[:min(len(members), fewOf(r.Request))], err
}

// stillMoving says of each group that isn't over what is missing.
func stillMoving(members []Members, from api.Side, released bool) []string {
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

// countClients counts the groups' clients on both sides.
func countClients(ctx context.Context, s clusters.Both, groups []string, leaving api.Side) ([]Members, error) {
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
