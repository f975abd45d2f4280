package gateway

import (
	"cmp"
	"context"
	"fmt"
)

// clients are the clients behind the gateway by their ids.
func (g *Gateway) clients() map[string]Connected {
	sessions := g.all()
	all := make(map[string]Connected, len(sessions))
	for _, s := range sessions {
		s.mu.Lock()
		if s.client != "" {
			one := Connected{s.client, s.conn.RemoteAddr().String(), s.accessKey, s.problem()}
			one.Problem = cmp.Or(one.Problem, all[s.client].Problem)
			all[s.client] = one
		}
		s.mu.Unlock()
	}
	return all
}

// clientsOfAll are the clients behind any gateway of the migration.
func (g *Gateway) clientsOfAll(ctx context.Context) (map[string]Connected, error) {
	all := g.clients()
	return all, g.askPeers(ctx, func(ctx context.Context, p Peer, c *Client) error {
		is, err := c.State(ctx)
		if err != nil {
			return fmt.Errorf("who is behind gateway %s isn't known: %w", p.Name, err)
		}
		for _, one := range is.Clients {
			all[one.ID] = one
		}
		return nil
	})
}

// askPeers asks the other gateways of the migration one after the other, until one of them doesn't answer.
func (g *Gateway) askPeers(ctx context.Context, ask func(context.Context, Peer, *Client) error) error {
	for _, p := range g.peers() {
		asking, cancel := context.WithTimeout(ctx, askTime)
		err := ask(asking, p, g.clientOf(p))
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// member is a member of a group with the address of a broker that it is connected to.
type member struct{ at, broker string }

// membersOn are a group's members on a side by their ids, and how they read.
func (l lanes) membersOn(ctx context.Context, group string, on side) (all map[string]member, model string, err error) {
	c := l.clusters[on]
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", on, err)
	}
	all = map[string]member{}
	for _, b := range brokers {
		members, err := c.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
		if err != nil {
			return nil, "", fmt.Errorf("members of group %s on %s broker %s: %w", group, on, b.Name, err)
		}
		model = cmp.Or(model, members.MessageModel)
		for _, m := range members.Connections {
			all[m.ClientID] = member{m.Addr, b.Addr}
		}
	}
	return all, model, nil
}

// past are those of a group's members that aren't behind a gateway, as "client at address".
func past(members map[string]member, here map[string]Connected) (all []string) {
	for _, id := range sortedKeys(members) {
		if _, behind := here[id]; !behind {
			all = append(all, fmt.Sprintf("%s at %s", id, members[id].at))
		}
	}
	return all
}

// noneIsPast refuses to move a group while members read past the gateway: they would go on reading the side that the group leaves.
func (g *Gateway) noneIsPast(ctx context.Context, group string, from side, l lanes) error {
	members, _, err := l.membersOn(ctx, group, from)
	if err != nil {
		return err
	}
	here, err := g.clientsOfAll(ctx)
	if err != nil {
		return err
	}
	if found := past(members, here); len(found) > 0 {
		return refused("group %s has %d members that are connected to the %s past the gateway: %v; give them the gateway as their name server, then try again",
			group, len(found), from, found[:min(len(found), 5)])
	}
	return nil
}
