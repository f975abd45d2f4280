//go:build !unix

package gateway

import (
	"io"
	"net"
)

// Predecessor is a process that serves, and passes everything to this one; on this system none can.
type Predecessor struct{ lock io.Closer }

// Succeed finds none.
func Succeed(string) (*Predecessor, error) { return nil, nil }

func (*Predecessor) listener(string) net.Listener { return nil }

func (*Predecessor) hasSettled() bool { return false }

// Close does nothing.
func (*Predecessor) Close() {}

func (*Predecessor) clientListeners() map[string]net.Listener { return nil }

func passable(net.Conn) bool { return false }

func (g *Gateway) awaitSuccessor() {}

func (g *Gateway) takeFrom(*Predecessor) error { return nil }
