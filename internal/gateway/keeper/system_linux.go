package keeper

import (
	"errors"
	"fmt"
	"io"
	"net"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// established is the state of a connection that neither side has ended (TCP_ESTABLISHED).
const established = 1

// countTries is how often counts are read until nothing has come meanwhile: the next time, mostly.
const countTries = 100

// countsOf are the kernel's counts of a connection that nobody reads or writes.
func countsOf(fd int) (is counts, err error) {
	for range countTries {
		var before, after [2]int
		if before, err = queued(fd); err != nil {
			return is, err
		}
		info, err := unix.GetsockoptTCPInfo(fd, unix.IPPROTO_TCP, unix.TCP_INFO)
		if err != nil {
			return is, err
		}
		if after, err = queued(fd); err != nil {
			return is, err
		}
		if before == after {
			return counts{
				open:    info.State == established,
				read:    info.Bytes_received - uint64(after[0]),
				written: info.Bytes_acked + uint64(after[1]),
			}, nil
		}
	}
	return is, errors.New("something comes all the time")
}

// judgeOf is judge of a connection that no process reads or writes any more.
func (s slot) judgeOf(fd int, now uint64) (why string, pulls []Call) {
	is, err := countsOf(fd)
	if err != nil {
		return clientGone, nil
	}
	return s.judge(is, now)
}

// queued is how much came that nobody has read, and was written that the other side hasn't said to
// have.
func queued(fd int) (is [2]int, err error) {
	if is[0], err = unix.IoctlGetInt(fd, unix.TIOCINQ); err == nil { // SIOCINQ in tcp(7)
		is[1], err = unix.IoctlGetInt(fd, unix.TIOCOUTQ) // SIOCOUTQ
	}
	return is, err
}

// control does something with a connection's descriptor.
func control(conn syscall.Conn, do func(fd int) error) (err error) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	if err = raw.Control(func(fd uintptr) { failed = do(int(fd)) }); err != nil {
		return err
	}
	return failed
}

func (c *Conn) shutDown() {
	_ = control(c, func(fd int) error { return unix.Shutdown(fd, unix.SHUT_RDWR) })
}

// seconds is the machine's time, which all processes share.
func seconds() uint64 {
	var now unix.Timespec
	if unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		return 0
	}
	return uint64(now.Sec)
}

// mapped is the memory that a file is.
func mapped(fd int) (region, error) {
	var is unix.Stat_t
	if err := unix.Fstat(fd, &is); err != nil {
		return nil, err
	}
	size := int(is.Size)
	if size < slotBytes {
		return nil, fmt.Errorf("a memory of %d bytes", size)
	}
	raw, err := unix.Mmap(fd, 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return unsafe.Slice((*uint64)(unsafe.Pointer(&raw[0])), size/wordBytes), nil
}

func (r region) unmap() {
	if len(r) > 0 {
		_ = unix.Munmap(unsafe.Slice((*byte)(unsafe.Pointer(&r[0])), len(r)*wordBytes))
	}
}

// probe reports whether the kernel counts as it has to.
func probe() error {
	at, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer at.Close()
	there, err := net.Dial("tcp", at.Addr().String())
	if err != nil {
		return err
	}
	defer there.Close()
	here, err := at.Accept()
	if err != nil {
		return err
	}
	defer here.Close()
	if _, err = there.Write(make([]byte, 3)); err == nil {
		_, err = here.Write(make([]byte, 2))
	}
	if err == nil {
		_, err = io.ReadFull(here, make([]byte, 1))
	}
	if err != nil {
		return err
	}
	var is counts
	err = control(here.(*net.TCPConn), func(fd int) (err error) { //nolint:forcetypeassert // as it listens for TCP
		is, err = countsOf(fd)
		return err
	})
	if err == nil && (is.read != 1 || is.written != 2 || !is.open) {
		err = errors.New("the kernel doesn't count what was read and written of a connection")
	}
	return err
}
