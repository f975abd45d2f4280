package gateway

import (
	"fmt"
	"time"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// owed is an answer to a call that no server will answer.
type owed struct {
	call
	due time.Time
	why string // of all but pulls
}

// debts are the answers that a session owes, with one goroutine for all of them: a client that
// doesn't read would hold up one for each. They count as open calls, so that there are no more of
// them than the session may have open. The session's lock is for them too.
type debts struct {
	all    []owed
	paying bool
	more   signal
}

// owe has calls answered after a while, pulls so that the client asks again.
func (s *session) owe(after time.Duration, why func(call) string, calls ...call) {
	if len(calls) == 0 {
		return
	}
	due := time.Now().Add(after)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range calls {
		one := owed{call: c, due: due}
		if !isPull(c.code) {
			one.why = why(c)
		}
		s.debts.all = append(s.debts.all, one)
	}
	s.looksCrowded()
	if s.debts.paying {
		s.debts.more.now()
		return
	}
	s.debts.paying = true
	s.inBackground(s.pay)
}

// pay answers what is owed when it is due, until nothing is.
func (s *session) pay() {
	for {
		due, next, left := s.dueNow()
		for _, one := range due {
			s.answerFor(one)
		}
		switch {
		case len(due) > 0:
		case !left:
			return
		default:
			timer := time.NewTimer(time.Until(next))
			select {
			case <-timer.C:
			case <-s.debts.more:
			case <-s.gateway.ctx.Done():
			}
			timer.Stop()
		}
	}
}

// dueNow takes what is due, and tells when the next is. With nothing left, nobody pays any more.
func (s *session) dueNow() (due []owed, next time.Time, left bool) {
	now := time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	rest := s.debts.all[:0]
	for _, one := range s.debts.all {
		if s.closed || s.gateway.ctx.Err() != nil || !one.due.After(now) {
			due = append(due, one)
			continue
		}
		if next.IsZero() || one.due.Before(next) {
			next = one.due
		}
		rest = append(rest, one)
	}
	if s.debts.all = rest; len(rest) == 0 {
		s.debts.all = nil
	}
	left = len(rest) > 0
	s.debts.paying = left || len(due) > 0
	return due, next, left
}

func (s *session) answerFor(one owed) {
	if isPull(one.code) && !one.oneWay && !one.pushed {
		s.pullAgain(one.call)
		return
	}
	s.giveUp(one.call, one.why)
}

// pullAgain is how soon a client asks again whose pull was lost.
const pullAgain = 300 * time.Millisecond

// pullAgain answers a pull so that the client asks again for the same offset.
func (s *session) pullAgain(c call) {
	at := fmt.Sprint(max(0, c.offset))
	s.reply(
		c.opaque,
		c.binary,
		wire.Reply{Code: remoting.PullRetryImmediately, Remark: "NO_MATCHED_MESSAGE", Fields: []string{
			"maxOffset", at, "minOffset", "0", "nextBeginOffset", at, "suggestWhichBrokerId", "0",
		}},
	)
}
