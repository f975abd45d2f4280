package remoting

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
	if remark := strings.TrimSpace(FirstLine(e.Remark)); remark != "" {
		text += ": " + remark
	}
	return text
}

// FirstLine drops Java's stack traces: they are the broker's log, not an explanation.
func FirstLine(s string) string {
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

// Denied reports whether a broker refused the keys: ACL 1.0 answers 1 with an AclException, ACL 2.0
// answers 16. A pull of a closed group, and a send to a topic that may not be written, are also
// answered by 16.
func Denied(err error) bool {
	var refusal *Error
	return errors.As(err, &refusal) &&
		(refusal.Code == NoPermission || strings.Contains(refusal.Remark, "AclException"))
}

// DialError is a server that can't be reached: the request was certainly not executed.
type DialError struct {
	Server string
	Err    error
}

func (e *DialError) Error() string { return fmt.Sprintf("%s: can't be reached: %v", e.Server, e.Err) }
func (e *DialError) Unwrap() error { return e.Err }

// LostError is a request whose answer never came: it may have been executed.
type LostError struct {
	Server, Call string
	Err          error
}

func (e *LostError) Error() string {
	return fmt.Sprintf("%s: %s: no answer: %v", e.Server, e.Call, e.Err)
}
func (e *LostError) Unwrap() error { return e.Err }

// ErrConnectionLost ends the calls that wait on a connection which broke.
var (
	ErrConnectionLost = errors.New("the connection broke")
	ErrSilent         = errors.New("the server sent nothing for too long")
)

// Ambiguous reports whether the request of err may have been executed although no answer came.
func Ambiguous(err error) bool {
	var lost *LostError
	return errors.As(err, &lost)
}

// Retryable reports whether the request of err was certainly not executed and may succeed later.
// These are all the rules: the server dropped it unexecuted (busy, flow control, going away, not
// serving yet), or it was never reached.
func Retryable(err error) bool {
	var dial *DialError
	if errors.As(err, &dial) {
		return !errors.Is(err, context.Canceled)
	}
	switch CodeOf(err) {
	case SystemBusy, FlowControl, GoAway, ServiceNotAvailable:
		return true
	}
	return false
}

// Unreachable reports whether a server could not be reached or did not answer; a refusal is
// neither.
func Unreachable(err error) bool {
	var dial *DialError
	var lost *LostError
	var netErr net.Error
	return errors.As(err, &dial) || errors.As(err, &lost) || errors.As(err, &netErr)
}
