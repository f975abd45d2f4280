package checks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
)

// membersOfAll are the members of a group behind any gateway of the migration, by their ids.
func (ck *Checks) membersOfAll(ctx context.Context, group string) (map[string]control.Connected, error) {
	all := ck.host.MembersOf(group)
	return all, ck.host.AskPeers(ctx, func(ctx context.Context, p control.Peer, c *control.Client) error {
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

// behind is who of a group's members counts as one behind a gateway.
type behind struct {
	IDs   map[string]bool
	known map[netip.AddrPort]bool // where gateways' connections come from; nil: brokers see other addresses
}

// BehindAll is that of all gateways of the migration. Everybody may say any client id, and
// applications of one host may have the same: those that don't read with the group don't count.
func (ck *Checks) BehindAll(ctx context.Context, group string) (is behind, err error) {
	here, err := ck.membersOfAll(ctx, group)
	if err != nil {
		return is, err
	}
	is.IDs = map[string]bool{}
	for id := range here {
		is.IDs[id] = true
	}
	if known, _, unknown := ck.host.OriginsOfAll(ctx); unknown == nil {
		is.known = known
	}
	return is, nil
}

// comes reports whether a connection comes from a gateway; seen is false if the address doesn't
// tell.
func (b behind) comes(from string) (does, seen bool) {
	addr, err := netip.ParseAddrPort(from)
	return err == nil && b.known[replicas.Unmapped(addr)], err == nil
}

// Past are those of a group's members that aren't behind a gateway, as "client at address". Where
// the addresses of gateways are among those that brokers list, each connection is judged by its
// own.
func Past(members map[string]replicas.Member, here behind) (all []string) {
	visible := false
	for _, m := range members {
		for _, from := range m.Connections {
			does, _ := here.comes(from)
			visible = visible || does
		}
	}
	for _, id := range routing.SortedKeys(members) {
		for _, from := range members[id].Connections {
			does, seen := here.comes(from)
			if !does && (visible && seen || !here.IDs[id]) {
				all = append(all, fmt.Sprintf("%s at %s", id, from))
				break
			}
		}
	}
	return all
}

// NoneIsPast refuses to move a group while members read past the gateway: they would go on reading
// the side that the group leaves. Members that the caller accepts, each or by their group, do so.
func (ck *Checks) NoneIsPast(
	ctx context.Context,
	group string,
	from routing.Side,
	l replicas.Lanes,
	accept []string,
) (inexact []string, err error) {
	members, _, err := l.MembersOn(ctx, group, from)
	if err != nil {
		return nil, err
	}
	here, err := ck.BehindAll(ctx, group)
	if err != nil {
		return nil, err
	}
	found, taken := Past(members, here), []string{}
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
