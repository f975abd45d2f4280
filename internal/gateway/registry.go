package gateway

import "sync"

// sessionRegistry are the sessions of clients, and those that aren't back since a restart.
type sessionRegistry struct {
	mirrors   mirrors
	returning returning
	mu        sync.Mutex
	sessions  map[*session]bool
}
