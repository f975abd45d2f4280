package fleet

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/rocketmq"
	"rocketshift/plan"
)

// maxPast is how many clients past the gateways are named.
const maxPast = 20

// PastEvery is how often Sync looks for such clients: it asks every broker for the members of every
// group.
const PastEvery = 30 * time.Second

// Look reads how the gateways of a plan stand.
type Look func(context.Context, plan.Plan) (control.State, error)

// Past looks for clients past the gateways. Where it may not, it says so: nothing that moves
// depends on it.
func Past(
	ctx context.Context, s clusters.Both, state control.State, again Look,
) *api.Past {
	found, err := lookPast(ctx, s, state, again)
	if err != nil {
		return &api.Past{Unknown: fmt.Sprintf("who is past the gateways can't be seen: %v", err)}
	}
	return found
}

// lookPast finds those connected to the source, and those whose messages came another way.
func lookPast(
	ctx context.Context, s clusters.Both, state control.State, again Look,
) (*api.Past, error) {
	brokers, err := s.Source.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	table, err := s.Source.GroupTable(ctx, brokers)
	if err != nil {
		return nil, err
	}
	groups := table.Selected(s.Plan)
	members, err := s.Source.MembersOf(ctx, brokers, groups)
	if err != nil {
		return nil, err
	}
	producers, untold, err := s.Source.Producers(ctx, brokers)
	if err != nil {
		return nil, err
	}
	clients := PastGateway(state, groups, members, producers)
	if len(clients) > 0 { // one may have come to its gateway meanwhile
		if state, err = again(ctx, s.Plan); err != nil {
			return nil, err
		}
		still := PastGateway(state, groups, members, producers)
		clients = slices.DeleteFunc(clients, func(c string) bool { return !slices.Contains(still, c) })
	}
	clients = append(clients, pastProducers(state, s.Plan.Topics)...)
	unknown := cmp.Or(state.BypassUnknown, clusters.UntoldProducers(untold))
	return &api.Past{Count: len(clients), Clients: clients[:min(len(clients), maxPast)], Unknown: unknown}, nil
}

// PastGateway are the clients connected to the source that aren't behind a gateway.
func PastGateway(
	state control.State,
	groups []string,
	members map[string]clusters.Connections,
	producers map[string]map[string]rocketmq.Connection,
) []string {
	behind, past := map[string]bool{}, map[string]string{}
	for _, c := range state.Clients {
		behind[c.ID] = true
	}
	add := func(group string, c rocketmq.Connection) {
		if !behind[c.ClientID] {
			past[c.ClientID] = fmt.Sprintf("%s at %s, of group %s", c.ClientID, c.Addr, group)
		}
	}
	for _, group := range groups {
		for _, m := range members[group].Members {
			add(group, m.Connection)
		}
	}
	for group, of := range producers {
		for _, c := range of {
			add(group, c)
		}
	}
	return slices.Sorted(maps.Values(past))
}

// pastProducers are those whose messages to the migration's topics came another way.
func pastProducers(state control.State, topics plan.TopicSelection) (all []string) {
	for _, b := range state.Bypass {
		if topics.Match(b.Topic) {
			all = append(all,
				fmt.Sprintf("a producer at %s, which writes to topic %s of the %s", b.Address, b.Topic, b.Side))
		}
	}
	return all
}
