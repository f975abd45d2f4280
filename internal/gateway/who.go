package gateway

import (
	"cmp"
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
	c.More += more.More
	return c
}
