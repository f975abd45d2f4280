package gateway

import (
	"maps"
	"net"
	"sync"
)

// Listeners are those of a process that aren't for clients, such as its control API's. They pass
// from process to process too.
type Listeners struct {
	From *Predecessor // whose listeners are used where the addresses are the same; nil if there is none

	mu   sync.Mutex
	open map[string]net.Listener // by name
}

// Listen listens at host:port. The name is what the process's successor knows the listener by.
func (l *Listeners) Listen(name, address string) (at net.Listener, err error) {
	if l == nil {
		return net.Listen("tcp", address)
	}
	if at = l.From.listener(name); at != nil && !sameAddress(at.Addr(), address) {
		_ = at.Close()
		at = nil
	}
	if at == nil {
		if at, err = net.Listen("tcp", address); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.open == nil {
		l.open = map[string]net.Listener{}
	}
	l.open[name] = at
	return at, nil
}

// all are the open ones, by name.
func (l *Listeners) all() map[string]net.Listener {
	if l == nil {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.open)
}

// sameAddress reports whether a listener is where an address says; port 0 is anywhere on that host.
func sameAddress(at net.Addr, wanted string) bool {
	is, one := at.(*net.TCPAddr)
	want, err := net.ResolveTCPAddr("tcp", wanted)
	if !one || err != nil || want.Port != 0 && want.Port != is.Port {
		return false
	}
	everywhere := want.IP == nil || want.IP.IsUnspecified()
	return everywhere && is.IP.IsUnspecified() || is.IP.Equal(want.IP)
}
