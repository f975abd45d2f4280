package gateway

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"rocketshift/internal/rocketmq"
)

// clients are the clients behind the gateway by their ids.
func (g *Gateway) clients() map[string]Connected {
	all := map[string]Connected{}
	for _, s := range g.all() {
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
	for _, p := range g.peers() {
		asking, cancel := context.WithTimeout(ctx, askTime)
		is, err := g.clientOf(p).State(asking)
		cancel()
		if err != nil {
			return nil, fmt.Errorf("who is behind gateway %s isn't known: %w", p.Name, err)
		}
		for _, c := range is.Clients {
			all[c.ID] = c
		}
	}
	return all, nil
}

// past are members of a group that are connected to a side without the gateway, as "client at address".
func (g *Gateway) past(ctx context.Context, group string, on side, c *rocketmq.Cluster) ([]string, error) {
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", on, err)
	}
	here, err := g.clientsOfAll(ctx)
	if err != nil {
		return nil, err
	}
	var past []string
	for _, b := range brokers {
		members, err := c.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
		if err != nil {
			return nil, fmt.Errorf("members of group %s on %s broker %s: %w", group, on, b.Name, err)
		}
		for _, m := range members.Connections {
			who := fmt.Sprintf("%s at %s", m.ClientID, m.Addr)
			if _, behind := here[m.ClientID]; !behind && !slices.Contains(past, who) {
				past = append(past, who)
			}
		}
	}
	return past, nil
}

// noneIsPast refuses to move a group while members read past the gateway: they would go on reading the side that the group leaves.
func (g *Gateway) noneIsPast(ctx context.Context, group string, from side, l lanes) error {
	past, err := g.past(ctx, group, from, l.clusters[from])
	if err != nil {
		return err
	}
	if len(past) > 0 {
		return refused("group %s has %d members that are connected to the %s past the gateway: %v; give them the gateway as their name server, then try again",
			group, len(past), from, past[:min(len(past), 5)])
	}
	return nil
}
