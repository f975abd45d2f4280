package control

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Fleet are all gateways of a migration, by their control APIs.
type Fleet struct {
	addresses []string
	clients   []*Client
}

// NewFleet calls the control APIs at these addresses, which all know the token.
func NewFleet(addresses []string, a Access) *Fleet {
	f := &Fleet{addresses: addresses}
	for _, address := range addresses {
		f.clients = append(f.clients, NewClient(address, a))
	}
	return f
}

// States asks all gateways how they stand. All must answer.
func (f *Fleet) States(ctx context.Context) ([]State, error) {
	all := make([]State, len(f.clients))
	for i, c := range f.clients {
		var err error
		if all[i], err = c.State(ctx); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// State is how the gateways stand, as one: what the one says that is furthest, with the clients of
// all.
func (f *Fleet) State(ctx context.Context) (State, error) {
	all, err := f.States(ctx)
	if err != nil {
		return State{}, err
	}
	return Sum(all), nil
}

// Sum is how several gateways stand, as one.
func Sum(all []State) State {
	sum := slices.MaxFunc(all, func(a, b State) int { return cmp.Compare(a.Epoch, b.Epoch) })
	var names, nameServers []string
	clients, groups := map[ClientKey]Connected{}, map[string]GroupSide{}
	bypass, more := []Bypass{}, [2]int{} // clients and groups that aren't listed
	var vip []string
	for _, s := range all {
		for _, problem := range s.VIPProblems {
			vip = append(vip, "gateway "+s.Gateway+": "+problem)
		}
		names, nameServers = append(names, s.Gateway), append(nameServers, s.NameServer)
		sum.Doubt, sum.Fenced = sum.Doubt || s.Doubt, sum.Fenced || s.Fenced
		sum.StateProblem = cmp.Or(sum.StateProblem, s.StateProblem)
		sum.Owed = owedBy(all)
		sum.BypassUnknown = cmp.Or(sum.BypassUnknown, s.BypassUnknown)
		more[0], more[1] = more[0]+s.ClientsMore, more[1]+s.GroupsMore
		for _, b := range s.Bypass { // each gateway looks at all queues
			if !slices.ContainsFunc(bypass,
				func(o Bypass) bool { return o.Topic == b.Topic && o.Side == b.Side && o.Address == b.Address }) {
				bypass = append(bypass, b)
			}
		}
		for _, c := range s.Clients {
			clients[c.Key()] = clients[c.Key()].And(c)
		}
		for _, g := range s.Groups {
			// others may not have seen all queues
			if g.Source+g.Target > groups[g.Group].Source+groups[g.Group].Target {
				groups[g.Group] = g
			}
		}
	}
	sum.Gateway, sum.NameServer = strings.Join(names, ";"), strings.Join(nameServers, ";")
	sum.Groups, sum.Bypass, sum.VIPProblems = []GroupSide{}, bypass, vip
	sum.Clients, _ = ListClients(maps.Values(clients))
	sum.ClientsMore, sum.GroupsMore = more[0], more[1]
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		sum.Groups = append(sum.Groups, groups[name])
	}
	return sum
}

// Use tells all gateways the migration, and of each other.
func (f *Fleet) Use(ctx context.Context, m Migration) (State, error) {
	all, err := f.States(ctx)
	if err != nil {
		return State{}, err
	}
	if len(all) > 1 {
		for i, s := range all {
			if slices.ContainsFunc(m.Gateways, func(p Peer) bool { return p.Name == s.Gateway }) {
				return State{}, fmt.Errorf("gateway %s: %w", f.addresses[i],
					Refused("two gateways go by the name %s: start each with a --name of its own", s.Gateway))
			}
			m.Gateways = append(m.Gateways, Peer{s.Gateway, f.addresses[i]})
		}
	}
	for i, c := range f.clients {
		if all[i], err = c.Use(ctx, m); err != nil {
			return State{}, err
		}
	}
	return Sum(all), nil
}

// MoveUntilDone asks the first gateway that answers to lead a move, again and again until it is
// done, refused, or the context ends.
func (f *Fleet) MoveUntilDone(ctx context.Context, m Move) (was Moved, err error) {
	for _, c := range f.clients {
		var refusal *RefusedError
		if was, err = c.MoveUntilDone(ctx, m); err == nil || errors.As(err, &refusal) || ctx.Err() != nil {
			return was, err
		}
	}
	return was, err
}
