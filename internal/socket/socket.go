// Package socket makes the system's calls of TCP connections cheap.
//
// Go's scheduler is told of each call of the system, so that the processor can do something else
// while a thread waits. A monitor looks every 20 µs for threads that are in such a call for longer,
// takes their processor, and wakes another thread to use it. Reads and writes of sockets never
// wait, as Go's sockets are non-blocking; but a small one takes that long already when it wakes a
// process on another core. So a program that passes on small messages, one by one, keeps the
// monitor busy, and pays for three calls where it needs one. The calls here aren't told of.
package socket

import "net"

// Quick returns the connection with cheap calls where the system has them (Linux), or as it is. It
// has all methods that it had before.
func Quick(conn net.Conn) net.Conn { return quick(conn) }

// WriteAll writes pieces one behind the other, in one call if the connection can, and uses the
// slice up. After an error some of them may have been written.
func WriteAll(conn net.Conn, pieces *net.Buffers) error { return writeAll(conn, pieces) }
