package gateway

import (
	"cmp"
	"maps"
	"slices"
)

// who tells clients apart that say they have the same id, which everybody with a key may.
type who struct{ id, accessKey string }

func (c Connected) who() who { return who{c.ID, c.AccessKey} }

// and is a client of which two connections, or two gateways, say something.
func (c Connected) and(more Connected) Connected {
	c.ID, c.AccessKey = cmp.Or(c.ID, more.ID), cmp.Or(c.AccessKey, more.AccessKey)
	c.Address, c.Problem = cmp.Or(more.Address, c.Address), cmp.Or(more.Problem, c.Problem)
	c.Groups = distinct(slices.Concat(c.Groups, more.Groups))
	c.Topics = distinct(slices.Concat(c.Topics, more.Topics))
	return c
}

// tell lists the clients behind the gateway, with what those share in that have a problem.
func (g *Gateway) tell() []Connected {
	all := map[who]Connected{}
	for _, s := range g.all() {
		s.mu.Lock()
		if one := s.connected(); s.client != "" {
			all[one.who()] = all[one.who()].and(one)
		}
		s.mu.Unlock()
	}
	for _, one := range g.unfits() {
		all[one.who()] = all[one.who()].and(one.Connected)
	}
	return listed(all)
}

// listed are clients in the order of their ids.
func listed(all map[who]Connected) []Connected {
	return append([]Connected{}, slices.SortedFunc(maps.Values(all), func(a, b Connected) int {
		return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.AccessKey, b.AccessKey))
	})...)
}
