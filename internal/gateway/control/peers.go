package control

import "slices"

// OthersThan are the gateways of a migration but the one of that name.
func (m Migration) OthersThan(name string) []Peer {
	return slices.DeleteFunc(slices.Clone(m.Gateways), func(p Peer) bool { return p.Name == name })
}
