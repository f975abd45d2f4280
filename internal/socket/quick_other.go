//go:build !linux || race

package socket

import "net"

// quick leaves a connection as it is. The race detector needs to be told of calls, too.
func quick(conn net.Conn) net.Conn { return conn }

func writeAll(conn net.Conn, pieces *net.Buffers) error {
	_, err := pieces.WriteTo(conn)
	return err
}
