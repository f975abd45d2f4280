package control

import (
	"net/netip"
	"time"
)

// Origins is what a gateway tells others of its connections.
type Origins struct {
	Addresses []netip.AddrPort `json:"addresses"` // of connections that live, or ended in the last minutes
	Since     time.Time        `json:"since"`     // when it began to serve: it knows nothing of connections before
	Now       time.Time        `json:"now"`       // by its clock, which may be another one than the asker's
	Hidden    bool             `json:"hidden"`    // brokers see other addresses than these
}
