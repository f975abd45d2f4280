package gateway

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/rounds"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

// connected is what there is to say of the session's client. Callers hold s.mu.
func (s *session) connected() control.Connected {
	return control.Connected{
		ID: s.client, Address: s.conn.RemoteAddr().String(), AccessKey: s.accessKey,
		Problem: s.problem(),
	}
}

// membersOfAll are the members of a group behind any gateway of the migration, by their ids.
func (g *Gateway) membersOfAll(ctx context.Context, group string) (map[string]control.Connected, error) {
	all := g.registry.membersOf(group)
	return all, g.askPeers(ctx, func(ctx context.Context, p control.Peer, c *control.Client) error {
		is, err := c.Members(ctx, group)
		var old *control.RefusedError
		if errors.As(err, &old) && old.Status == http.StatusNotFound { // it isn't asked so yet
			var state control.State
			state, err = c.State(ctx)
			is.Clients = state.Clients
		}
		if err != nil {
			return fmt.Errorf("who is behind gateway %s isn't known: %w", p.Name, err)
		}
		for _, one := range is.Clients {
			all[one.ID] = one
		}
		return nil
	})
}

// askPeers asks the other gateways of the migration one after the other, until one of them doesn't
// answer.
func (g *Gateway) askPeers(ctx context.Context, ask func(context.Context, control.Peer, *control.Client) error) error {
	for _, p := range g.sides.peers() {
		asking, cancel := context.WithTimeout(ctx, rounds.AskTime)
		err := ask(asking, p, g.clientOf(p))
		cancel()
		if err != nil {
			return err
		}
	}
	return nil
}

// member is a member of a group with the address of a broker that it is connected to.
type member struct {
	at, broker  string
	connections []string // addresses of all of that id
}

// membersOn are a group's members on a side by their ids, and how they read.
func (l lanes) membersOn(
	ctx context.Context,
	group string,
	on routing.Side,
) (all map[string]member, model string, err error) {
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
			all[m.ClientID] = member{m.Addr, b.Addr, append(all[m.ClientID].connections, m.Addr)}
		}
	}
	return all, model, nil
}

// knownTime bounds how long the target may take to list a member that the source lists: a heartbeat
// goes to both.
const knownTime = 3 * time.Second

// knownOnTarget refuses to move a group to the target while one of its brokers doesn't list all
// members that the source lists: it would refuse their pulls. A proxy doesn't say whom it lists.
// Members that are missing are introduced again.
func (l lanes) knownOnTarget(ctx context.Context, group string, to routing.Side, introduce func()) error {
	if to == routing.Source || l.migration.Proxy != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, knownTime)
	defer cancel()
	why, last := "", time.Time{}
	for {
		missing, err := l.unknownOnTarget(ctx, group)
		switch {
		case err == nil && missing == "":
			return nil
		case err == nil:
			why = missing
		case ctx.Err() == nil || why == "":
			why = err.Error()
		}
		if time.Since(last) > introducePause {
			last = time.Now()
			introduce()
		}
		if sleep.For(ctx, 10*proofPause) != nil {
			return control.Refused(
				"group %s: %s, and its pulls would be refused there: two applications with one client id and "+
					"other groups, or a heartbeat that the target refuses, may be the cause",
				group,
				why,
			)
		}
	}
}

// introducePause is between two introductions of the same members: brokers take some milliseconds
// for one.
const introducePause = 500 * time.Millisecond

// unknownOnTarget says which members of a group a target broker doesn't list, and nothing if all
// list all.
func (l lanes) unknownOnTarget(ctx context.Context, group string) (missing string, err error) {
	here, _, err := l.membersOn(ctx, group, routing.Source)
	if err != nil || len(here) == 0 {
		return "", err
	}
	brokers, err := l.migration.target.Brokers(ctx)
	if err != nil {
		return "", fmt.Errorf("target: %w", err)
	}
	for _, b := range brokers {
		there, err := l.migration.target.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
		if err != nil {
			return "", fmt.Errorf("members of group %s on target broker %s: %w", group, b.Name, err)
		}
		known := map[string]bool{}
		for _, m := range there.Connections {
			known[m.ClientID] = true
		}
		for _, id := range routing.SortedKeys(here) {
			if !known[id] {
				return fmt.Sprintf("target broker %s doesn't list member %s at %s", b.Name, id, here[id].at), nil
			}
		}
	}
	return "", nil
}

// behind is who of a group's members counts as one behind a gateway.
type behind struct {
	ids   map[string]bool
	known map[netip.AddrPort]bool // where gateways' connections come from; nil: brokers see other addresses
}

// behindAll is that of all gateways of the migration. Everybody may say any client id, and
// applications of one host may have the same: those that don't read with the group don't count.
func (g *Gateway) behindAll(ctx context.Context, group string) (is behind, err error) {
	here, err := g.membersOfAll(ctx, group)
	if err != nil {
		return is, err
	}
	is.ids = map[string]bool{}
	for id := range here {
		is.ids[id] = true
	}
	if known, _, unknown := g.originsOfAll(ctx); unknown == nil {
		is.known = known
	}
	return is, nil
}

// comes reports whether a connection comes from a gateway; seen is false if the address doesn't
// tell.
func (b behind) comes(from string) (does, seen bool) {
	addr, err := netip.ParseAddrPort(from)
	return err == nil && b.known[unmapped(addr)], err == nil
}

// past are those of a group's members that aren't behind a gateway, as "client at address". Where
// the addresses of gateways are among those that brokers list, each connection is judged by its
// own.
func past(members map[string]member, here behind) (all []string) {
	visible := false
	for _, m := range members {
		for _, from := range m.connections {
			does, _ := here.comes(from)
			visible = visible || does
		}
	}
	for _, id := range routing.SortedKeys(members) {
		for _, from := range members[id].connections {
			does, seen := here.comes(from)
			if !does && (visible && seen || !here.ids[id]) {
				all = append(all, fmt.Sprintf("%s at %s", id, from))
				break
			}
		}
	}
	return all
}

// noneIsPast refuses to move a group while members read past the gateway: they would go on reading
// the side that the group leaves. Members that the caller accepts, each or by their group, do so.
func (g *Gateway) noneIsPast(
	ctx context.Context,
	group string,
	from routing.Side,
	l lanes,
	accept []string,
) (inexact []string, err error) {
	members, _, err := l.membersOn(ctx, group, from)
	if err != nil {
		return nil, err
	}
	here, err := g.behindAll(ctx, group)
	if err != nil {
		return nil, err
	}
	found, taken := past(members, here), []string{}
	if slices.Contains(accept, group) {
		found, taken = nil, found
	}
	found = slices.DeleteFunc(found, func(one string) bool {
		id, _, _ := strings.Cut(one, " at ")
		accepted := slices.Contains(accept, id)
		if accepted {
			taken = append(taken, one)
		}
		return accepted
	})
	if len(found) > 0 {
		return nil, control.NewBypassed(
			control.Bypassing{Groups: []string{group}},
			"group %s has %d members that are connected to the %s past the gateway: %v; give them the "+
				"gateway as their name server, then try again; "+
				"or accept the group or these members, where the group may read messages on both sides, and "+
				"leave others to these members",
			group,
			len(found),
			from,
			found[:min(len(found), 5)],
		)
	}
	for _, one := range taken {
		inexact = append(
			inexact,
			fmt.Sprintf(
				"group %s: %s goes on reading the %s: the group reads messages twice that both sides hold, "+
					"and this member's queues on the %s are read by it alone",
				group,
				one,
				from,
				from,
			),
		)
	}
	return inexact, nil
}
