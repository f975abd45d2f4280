package consumers

import (
	"context"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/printable"
)

// Positions is what was translated and written for one group.
type Positions struct {
	Group  string `json:"group"`
	Queues int    `json:"queues"`
	Exact  int    `json:"exact"`
}

// Carry brings the positions of one group over.
func (m *Mover) Carry(ctx context.Context, group string) (Positions, error) {
	next := m.from.Other()
	brokers, _ := m.Of(next)
	if err := m.At(next).Mastered(brokers); err != nil {
		return Positions{}, err
	}
	there, err := m.At(next).MembersOf(ctx, brokers, []string{group})
	if err != nil {
		return Positions{}, err
	}
	moves, err := m.moves(ctx, group, m.topicsOf(group, there[group]))
	if err != nil {
		return Positions{}, err
	}
	changes := m.pending(group, moves)
	if len(changes) > 0 && len(there[group].Members) > 0 {
		return Positions{}, fault.NotReady(
			"group %s already has %d members on the %s, which would overwrite its positions: stop %s", group,
			len(there[group].Members), next, printable.Few(there[group].Addresses()),
		)
	}
	err = clusters.Each(ctx, changes, func(ctx context.Context, change Move) error {
		return writePosition(ctx, m.At(next), clusters.AddressesOf(brokers), group, change)
	})
	if err != nil {
		return Positions{}, err
	}
	done := Positions{Group: group, Queues: len(moves)}
	for _, mv := range moves {
		if mv.exact {
			done.Exact++
		}
	}
	return done, nil
}

// Moved are those of the groups that are fenced on every broker of the source, and open on
// the target.
func Moved(ctx context.Context, both clusters.Both, groups []string) ([]string, error) {
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
