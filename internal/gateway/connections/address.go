package connections

import (
	"net"
	"net/netip"
)

// AddressOf is the address that a connection comes from; none if that isn't one of IP.
func AddressOf(conn net.Conn) netip.Addr {
	at, ok := conn.RemoteAddr().(*net.TCPAddr)
	if !ok { // such as that of a client that isn't back
		was, _ := netip.ParseAddrPort(conn.RemoteAddr().String())
		return was.Addr()
	}
	return at.AddrPort().Addr()
}
