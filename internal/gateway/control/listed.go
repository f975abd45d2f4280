package control

import (
	"cmp"
	"context"
	"iter"
	"net/http"
	"net/netip"
	"net/url"
	"slices"

	"rocketshift/internal/gateway/memory"
)

// What clients choose - ids, groups, how many of them - fills lists of the state only so far that
// everybody can read it: who can't read it can't steer.

const (
	// MostListed is how long each list of a state may be in JSON that clients have a part in, in
	// bytes: 100,000 usual clients. Callers read 64 MiB (mostAnswer).
	MostListed = 12 << 20
	// MostOfClient is how many groups and how many topics are told of one client.
	MostOfClient = 64
	// mostPast is how many members past the gateways are told of one group, and longestPast how
	// much of each: their ids came past this gateway's bounds.
	mostPast    = 100
	longestPast = 1 << 10
	// perListed is what an entry takes beside its texts.
	perListed = 150
)

// listing counts what a list takes.
type listing struct{ left, more int }

func newListing() listing { return listing{left: MostListed} }

// has takes room for an entry, or counts it among those that aren't told.
func (l *listing) has(texts ...string) bool {
	n := perListed
	for _, text := range texts {
		n += lengthInJSON(text)
	}
	if n > l.left {
		l.more++
		return false
	}
	l.left -= n
	return true
}

// lengthInJSON is how long a text is in JSON at most.
func lengthInJSON(text string) (n int) {
	const quotes, escaped = 3, len(`\u0000`)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '<' || c == '>' || c == '&' {
			n += escaped
		} else {
			n += 2 // it may need a backslash
		}
	}
	return n + quotes
}

// ListClients are as many clients as there is room for, and how many there are more. Addresses take
// turns: one that has thousands keeps no other one's out.
func ListClients(clients iter.Seq[Connected]) (all []Connected, more int) {
	byID := func(a, b Connected) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.AccessKey, b.AccessKey))
	}
	type turn struct {
		Connected
		number int
	}
	turns := map[netip.Prefix]int{}
	var order []turn
	for _, c := range slices.SortedFunc(clients, byID) {
		at, _ := netip.ParseAddrPort(c.Address)
		of := memory.PrefixOf(at.Addr())
		order = append(order, turn{c, turns[of]})
		turns[of]++
	}
	slices.SortStableFunc(order, func(a, b turn) int { return cmp.Compare(a.number, b.number) })
	all = []Connected{}
	room := newListing()
	for _, one := range order {
		c := one.short()
		texts := []string{c.ID, c.Address, c.AccessKey, c.Problem}
		if room.has(slices.Concat(texts, c.Groups, c.Topics)...) {
			all = append(all, c)
		}
	}
	slices.SortFunc(all, byID)
	return all, room.more
}

// short is a client with no more names than are told.
func (c Connected) short() Connected {
	c.More += max(0, len(c.Groups)-MostOfClient) + max(0, len(c.Topics)-MostOfClient)
	c.Groups = c.Groups[:min(len(c.Groups), MostOfClient)]
	c.Topics = c.Topics[:min(len(c.Topics), MostOfClient)]
	return c
}

// ListGroups are as many groups as there is room for, and how many there are more: first those
// that something depends on.
func ListGroups(groups []GroupSide, here map[string]bool) (all []GroupSide, more int) {
	rank := func(g GroupSide) int {
		_, members := here[g.Group]
		switch {
		case g.Target > 0:
			return 0
		case members:
			return 1
		}
		return 2
	}
	slices.SortStableFunc(groups, func(a, b GroupSide) int { return cmp.Compare(rank(a), rank(b)) })
	all = []GroupSide{}
	room := newListing()
	for _, g := range groups {
		if room.has(g.Group) {
			all = append(all, g)
		}
	}
	slices.SortFunc(all, func(a, b GroupSide) int { return cmp.Compare(a.Group, b.Group) })
	return all, room.more
}

// Short is what is told of a group with members past the gateways.
func (m MixedGroup) Short() MixedGroup {
	m.More = max(0, len(m.Past)-mostPast)
	m.Past = shortened(m.Past[:min(len(m.Past), mostPast)])
	m.Contested = slices.Clone(m.Contested)
	for i, q := range m.Contested {
		m.Contested[i].Members = shortened(q.Members[:min(len(q.Members), mostPast)])
	}
	return m
}

func shortened(all []string) []string {
	all = slices.Clone(all)
	for i, one := range all {
		all[i] = one[:min(len(one), longestPast)]
	}
	return all
}

// Members are the members of a group behind one gateway.
type Members struct {
	Clients []Connected `json:"clients"`
	More    int         `json:"more,omitempty"` // that aren't listed: there are too many
}

// Members asks for the members of a group behind the gateway.
func (c *Client) Members(ctx context.Context, group string) (m Members, err error) {
	return m, c.Call(ctx, http.MethodGet, "/v1/members?group="+url.QueryEscape(group), nil, &m)
}
