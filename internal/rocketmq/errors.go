package rocketmq

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// Error is a server's refusal: who, which call, which code, and the server's own words.
type Error struct {
	Server string // host:port
	Call   string // RocketMQ's name of the request, with its object where there is one
	Code   int
	Remark string
}

func (e *Error) Error() string {
	text := fmt.Sprintf("%s: %s: code %d %s", e.Server, e.Call, e.Code, CodeName(e.Code))
	if remark := strings.TrimSpace(firstLine(e.Remark)); remark != "" {
		text += ": " + remark
	}
	return text
}

// firstLine drops Java's stack traces: they are the broker's log, not an explanation.
func firstLine(s string) string {
	if i := strings.IndexByte(s, '\n'); i >= 0 {
		return s[:i]
	}
	return s
}

// CodeOf is the response code inside err, or -1.
func CodeOf(err error) int {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return -1
}

// Denied reports whether a broker refused the keys: ACL 1.0 answers 1 with an AclException, ACL 2.0 answers 16. A pull of a group that is closed, and a
// send to a topic that may not be written, are answered 16 too.
func Denied(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal) && (refusal.Code == NoPermission || strings.Contains(refusal.Remark, "AclException"))
}

// dialError is a server that can't be reached: the request was certainly not executed.
type dialError struct {
	server string
	err    error
}

func (e *dialError) Error() string { return fmt.Sprintf("%s: can't be reached: %v", e.server, e.err) }
func (e *dialError) Unwrap() error { return e.err }

// lostError is a request whose answer never came: it may have been executed.
type lostError struct {
	server, call string
	err          error
}

func (e *lostError) Error() string {
	return fmt.Sprintf("%s: %s: no answer: %v", e.server, e.call, e.err)
}
func (e *lostError) Unwrap() error { return e.err }

// errConnectionLost ends the calls that wait on a connection which broke.
var (
	errConnectionLost = errors.New("the connection broke")
	errSilent         = errors.New("the server sent nothing for too long")
)

// Ambiguous reports whether the request of err may have been executed although no answer came.
func Ambiguous(err error) bool {
	var lost *lostError
	return errors.As(err, &lost)
}

// Retryable reports whether the request of err was certainly not executed and may succeed later. These are all the rules:
// the server dropped it unexecuted (busy, flow control, going away, not serving yet), or it was never reached.
func Retryable(err error) bool {
	var dial *dialError
	if errors.As(err, &dial) {
		return !errors.Is(err, context.Canceled)
	}
	switch CodeOf(err) {
	case SystemBusy, FlowControl, GoAway, ServiceNotAvailable:
		return true
	}
	return false
}

// Unreachable reports whether err says that a server could not be reached or did not answer, as opposed to a refusal.
func Unreachable(err error) bool {
	var dial *dialError
	var lost *lostError
	var netErr net.Error
	return errors.As(err, &dial) || errors.As(err, &lost) || errors.As(err, &netErr)
}
