package gateway

import (
	"sync"
	"sync/atomic"
)

// routingTable is which queues there are, on which side their messages are stored, from which
// side groups read them, and which side says who a group's members are.
type routingTable struct {
	topics        topics
	groups        groups
	decided       sync.Mutex    // held while an outcome is applied, and while all is read to be saved
	authoritySide atomic.Uint32 // the side that is the authority
	judging       sync.RWMutex  // held while that changes, until the change is on disk
	away          atomic.Int64  // queues, views and the authority that aren't at the source
}
