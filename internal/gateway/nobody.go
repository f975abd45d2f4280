package gateway

import (
	"io"
	"net"
	"time"
)

// nobody is the connection of a client that isn't back.
type nobody struct{ address }

// address is where a client was.
type address string

func (a address) Network() string { return "tcp" }

func (a address) String() string { return string(a) }

func (nobody) Read([]byte) (int, error)         { return 0, io.EOF }
func (nobody) Write(b []byte) (int, error)      { return len(b), nil }
func (nobody) Close() error                     { return nil }
func (n nobody) LocalAddr() net.Addr            { return n.address }
func (n nobody) RemoteAddr() net.Addr           { return n.address }
func (nobody) SetDeadline(time.Time) error      { return nil }
func (nobody) SetReadDeadline(time.Time) error  { return nil }
func (nobody) SetWriteDeadline(time.Time) error { return nil }
