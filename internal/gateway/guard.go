package gateway

import (
	"errors"
	"runtime/debug"
)

// A fault of this program that one client's frames bring out must not end all other clients'
// connections.

// errFault is why a connection to a server ends that nothing is wrong with.
var errFault = errors.New("a fault of the gateway")

// inBackground does something for the client in a goroutine of its own.
func (s *session) inBackground(do func()) {
	s.gateway.running.Go(func() {
		defer s.recovered(func() int { return -1 })
		do()
	})
}

// recovered ends the client's connection if what it is deferred in has panicked, says with which
// code, and counts it.
func (s *session) recovered(code func() int) {
	cause := recover()
	if cause == nil {
		return
	}
	s.gateway.figures.panics.Add(1)
	// the others are counted: who has found a way to it goes it again and again
	if s.gateway.figures.said.faults.Due() {
		s.gateway.log.Error(
			"a fault of the gateway ended a client's connection: please report it",
			"client",
			s.conn.RemoteAddr().
				String(),
			"code",
			code(),
			"cause",
			cause,
			"stack",
			string(debug.Stack()),
			"faults",
			s.gateway.figures.panics.Load(),
		)
	}
	_ = s.conn.Close()
}

// runGuarded is run, and ends the session alone if it panics.
func (s *session) runGuarded(first []byte) (err error) {
	defer func() {
		if err == nil {
			err = errFault
		}
	}()
	defer func() {
		if !s.stopping.Whole {
			s.memory.Leave()
		}
	}()
	defer s.recovered(func() int { return s.frame.Code })
	return s.run(first)
}

// runGuarded is run. Where it panics, everything that waits for the server is answered.
func (u *upstream) runGuarded(rest []byte) {
	whole := false
	defer u.session.memory.Leave()
	defer func() {
		if !whole {
			u.broke(errFault)
		}
	}()
	defer u.session.recovered(func() int { return u.frame.Code })
	u.run(rest)
	whole = true
}
