package keeper

import (
	"log/slog"
	"net"
	"sync/atomic"
	"syscall"
	"time"
)

// Argument is the first one of the program as a keeper.
const Argument = "keep-connections"

// Asked reports whether the program is to be a keeper.
func Asked(arguments []string) bool { return len(arguments) > 1 && arguments[1] == Argument }

// Options are how connections are kept.
type Options struct {
	Path  string        // of the socket at which the next process asks; its folder must be closed to others
	Slots int           // how many connections are kept at most; each takes 1 KiB
	Wait  time.Duration // for how long they are kept without a gateway
	Log   *slog.Logger
}

// Found is a connection that a process of before had.
type Found struct {
	About
	Conn   net.Conn
	Unread int // bytes that the client has written, and no process has read
}

// Taken are all that a keeper had.
type Taken struct {
	Found  []Found
	Closed map[string]int // how many couldn't go on, by the reason
	Away   time.Duration  // since the process of before ended
}

// Close closes the connections.
func (t *Taken) Close() {
	if t == nil {
		return
	}
	for _, one := range t.Found {
		_ = one.Conn.Close()
	}
}

// Conn is a client's connection that may be kept. Its end is seen by the client although the keeper
// has a duplicate.
type Conn struct {
	net.Conn
	track atomic.Pointer[Track]
}

// Wrap makes a connection one that may be kept, if it can be.
func Wrap(conn net.Conn) net.Conn {
	if _, can := conn.(syscall.Conn); !can {
		return conn
	}
	return &Conn{Conn: conn}
}

// Bare is the connection without that.
func Bare(conn net.Conn) net.Conn {
	if one, is := conn.(*Conn); is {
		return one.Conn
	}
	return conn
}

// SyscallConn implements syscall.Conn.
func (c *Conn) SyscallConn() (syscall.RawConn, error) {
	return c.Conn.(syscall.Conn).SyscallConn() //nolint:forcetypeassert // Wrap has looked
}

// Close ends the connection, in the keeper too.
func (c *Conn) Close() error {
	if t := c.track.Swap(nil); t != nil && t.keeper.forget(t) {
		c.shutDown() // a duplicate is open for a moment
	}
	return c.Conn.Close()
}
