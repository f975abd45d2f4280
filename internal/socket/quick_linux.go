//go:build !race

package socket

import (
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"unsafe"
)

const (
	// mostQuick is how much a quick call moves. More takes so long that others should have the
	// processor meanwhile.
	mostQuick = 64 << 10
	// mostPieces is how many pieces one call takes (IOV_MAX of writev(2)).
	mostPieces = 1024
)

// connection is a TCP connection with quick calls.
type connection struct {
	*net.TCPConn
	raw     syscall.RawConn // waits, and knows of deadlines and of the connection's end
	in, out direction
}

// direction is what one direction of a connection is just doing.
type direction struct {
	mu     sync.Mutex
	call   func(fd uintptr) bool // made once: a function for each call would be garbage
	into   []byte
	pieces []syscall.Iovec // that aren't written yet
	n      int
	errno  syscall.Errno
}

func quick(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn // it is closed, and says so when it is used
	}
	c := &connection{TCPConn: tcp, raw: raw}
	c.in.call, c.out.call = c.in.read, c.out.write
	return c
}

// read and write report whether the call was made; else it is made again when the socket is ready.
func (d *direction) read(fd uintptr) bool {
	return d.made(syscall.SYS_READ, fd, unsafe.Pointer(&d.into[0]), len(d.into))
}

func (d *direction) write(fd uintptr) bool {
	return d.made(syscall.SYS_WRITEV, fd, unsafe.Pointer(&d.pieces[0]), len(d.pieces))
}

// made makes a call, again if a signal interrupts it.
func (d *direction) made(number, fd uintptr, memory unsafe.Pointer, length int) bool {
	for {
		n, _, errno := syscall.RawSyscall(number, fd, uintptr(memory), uintptr(length))
		if errno != syscall.EINTR {
			d.n, d.errno = int(n), errno
			return errno != syscall.EAGAIN
		}
	}
}

// Read implements net.Conn.
func (c *connection) Read(b []byte) (int, error) {
	if len(b) == 0 || len(b) > mostQuick {
		return c.TCPConn.Read(b)
	}
	c.in.mu.Lock()
	defer c.in.mu.Unlock()
	c.in.into = b
	err := c.in.failed(c, "read", c.raw.Read(c.in.call))
	c.in.into = nil
	switch {
	case err != nil:
		return 0, err
	case c.in.n == 0:
		return 0, io.EOF
	}
	return c.in.n, nil
}

// failed is why a call failed, in the words of the net package, or nil.
func (d *direction) failed(c *connection, call string, waiting error) error {
	if waiting == nil && d.errno == 0 {
		return nil
	}
	cause := error(d.errno)
	if waiting != nil { // the connection was closed, or its deadline has passed
		cause = waiting
		if op := (*net.OpError)(nil); errors.As(waiting, &op) {
			cause = op.Err
		}
	}
	return &net.OpError{Op: call, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: cause}
}

// Write implements net.Conn.
func (c *connection) Write(b []byte) (int, error) {
	if len(b) == 0 || len(b) > mostQuick {
		return c.TCPConn.Write(b)
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	c.out.add(b)
	return c.write()
}

func writeAll(conn net.Conn, pieces *net.Buffers) error {
	c, ok := conn.(*connection)
	if !ok {
		_, err := pieces.WriteTo(conn)
		return err
	}
	size := 0
	for _, b := range *pieces {
		size += len(b)
	}
	if size > mostQuick || len(*pieces) > mostPieces {
		_, err := pieces.WriteTo(c.TCPConn) // which takes any number of pieces of any size
		return err
	}
	c.out.mu.Lock()
	defer c.out.mu.Unlock()
	for _, b := range *pieces {
		c.out.add(b)
	}
	*pieces = nil
	_, err := c.write()
	return err
}

func (d *direction) add(b []byte) {
	if len(b) == 0 {
		return
	}
	piece := syscall.Iovec{Base: &b[0]}
	piece.SetLen(len(b))
	d.pieces = append(d.pieces, piece)
}

// write writes what was added.
func (c *connection) write() (written int, err error) {
	d := &c.out
	all := d.pieces
	for err == nil && len(d.pieces) > 0 {
		if err = d.failed(c, "write", c.raw.Write(d.call)); err == nil {
			written += d.n
			d.pieces = behind(d.pieces, uint64(d.n))
		}
	}
	clear(all)
	d.pieces = all[:0]
	return written, err
}

// behind are the pieces without their first n bytes.
func behind(pieces []syscall.Iovec, n uint64) []syscall.Iovec {
	for n > 0 {
		first := &pieces[0]
		if n < uint64(first.Len) {
			first.Base = (*byte)(unsafe.Add(unsafe.Pointer(first.Base), n))
			first.SetLen(int(uint64(first.Len) - n))
			return pieces
		}
		n -= uint64(first.Len)
		pieces = pieces[1:]
	}
	return pieces
}
