package control

import (
	"cmp"
	"slices"
)

// Key tells the client apart from others.
func (c Connected) Key() ClientKey { return ClientKey{c.ID, c.AccessKey} }

// And is a client of which two connections, or two gateways, say something.
func (c Connected) And(more Connected) Connected {
	c.ID, c.AccessKey = cmp.Or(c.ID, more.ID), cmp.Or(c.AccessKey, more.AccessKey)
	c.Address, c.Problem = cmp.Or(more.Address, c.Address), cmp.Or(more.Problem, c.Problem)
	c.Groups = Distinct(slices.Concat(c.Groups, more.Groups))
	c.Topics = Distinct(slices.Concat(c.Topics, more.Topics))
	c.More += more.More
	return c
}
