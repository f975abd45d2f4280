package gateway

import (
	"context"
	"net/netip"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
)

// seenHere is what checks ask of the gateway, and of the clients behind it.
type seenHere struct{ gateway *Gateway }

// MembersHere implements checks.Host.
func (h seenHere) MembersHere() map[string]bool { return h.gateway.clients.membersHere() }

// MembersOf implements checks.Host.
func (h seenHere) MembersOf(group string) map[string]control.Connected {
	return h.gateway.clients.registry.membersOf(group)
}

// GroupsByAddress implements checks.Host.
func (h seenHere) GroupsByAddress() map[netip.Prefix][]string {
	return h.gateway.clients.groupsByAddress()
}

// Fit implements checks.Host.
func (h seenHere) Fit(r store.Round) ([]string, error) { return h.gateway.allFit(r) }

// AskPeers implements checks.Host.
func (h seenHere) AskPeers(
	ctx context.Context, ask func(context.Context, control.Peer, *control.Client) error,
) error {
	return h.gateway.askPeers(ctx, ask)
}

// OriginsOfAll implements checks.Host.
func (h seenHere) OriginsOfAll(ctx context.Context) (map[netip.AddrPort]bool, time.Time, error) {
	return h.gateway.originsOfAll(ctx)
}

// Addresses implements checks.Host.
func (h seenHere) Addresses(to routing.Dest) []string { return h.gateway.clients.addresses(to) }
