package gateway

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

// unansweredSends are sends whose answers were lost, by queue. The broker may store them a little
// later, and one that stands still may do so once it goes on. A refusal is none, and no client
// loses an answer by going: the connection to the broker is read until its sends are answered.
type unansweredSends struct {
	mu     sync.Mutex
	of     map[*routing.Queue]unansweredSend
	before map[routing.Dest]unansweredSend // brokers to which a process before this one may have sent
	asking map[routing.Dest]bool           // brokers that are asked until they answer
	// whose clients have gone, with the connections to servers that they have yet
	ending map[*session]int
}

type unansweredSend struct {
	at       routing.Dest
	since    time.Time
	answered time.Time // when the broker has first answered anything since then
}

// lossTime is how long a broker that answers may still work off what came over a connection that
// broke.
const lossTime = 10 * time.Second

// lateSend is a send that may still be on its way.
type lateSend struct {
	unansweredSend
	queue  *routing.Queue
	before bool // a process before this one has sent it, if anybody has
}

// left is how long it surely is so.
func (l lateSend) left() time.Duration {
	if l.answered.IsZero() {
		return lossTime
	}
	return lossTime - time.Since(l.answered)
}

func (l lateSend) String() string {
	what := "a send was lost with its connection"
	if l.before {
		what = "this process has just begun, and the one before may have sent to it"
	}
	if l.answered.IsZero() {
		return fmt.Sprintf("queue %s: %s, and its broker hasn't answered anything since", l.queue, what)
	}
	return fmt.Sprintf("queue %s: %s, and may still be on its way to the broker", l.queue, what)
}

// unanswered takes note of a call without an answer, if it is a send.
func (ss *sessions) unanswered(c call) {
	if c.queue == nil || !sends(c.code) {
		return
	}
	l, to := &ss.unansweredSends, c.up.dest
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of = map[*routing.Queue]unansweredSend{}
	}
	l.of[c.queue] = unansweredSend{at: to, since: time.Now()}
	ss.askUntil(to)
}

// askUntil has a broker asked until it answers. Callers hold its lock.
func (ss *sessions) askUntil(to routing.Dest) {
	l := &ss.unansweredSends
	if l.asking[to] {
		return
	}
	if l.asking == nil {
		l.asking = map[routing.Dest]bool{}
	}
	l.asking[to] = true
	ss.running.Go(func() { ss.untilItAnswers(to) })
}

// beginsAgain takes note that another process may have sent just now, which this one doesn't know
// of.
func (ss *sessions) beginsAgain() {
	l := &ss.unansweredSends
	l.mu.Lock()
	defer l.mu.Unlock()
	l.before = map[routing.Dest]unansweredSend{}
	for on := range ss.sides.Brokers {
		for _, name := range ss.sides.BrokersOf(routing.Side(on)) {
			to := routing.Dest{Side: routing.Side(on), Broker: name}
			l.before[to] = unansweredSend{at: to, since: time.Now()}
			ss.askUntil(to)
		}
	}
}

// among are the sends to some queues that may still be on their ways.
func (l *unansweredSends) among(of map[*routing.Queue]bool) (all []lateSend) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for q, one := range l.of {
		switch {
		case one.over():
			delete(l.of, q)
		case of[q]:
			all = append(all, lateSend{unansweredSend: one, queue: q})
		}
	}
	for to, one := range l.before {
		if one.over() {
			delete(l.before, to)
			continue
		}
		for q := range of {
			if q.Lies(to) {
				all = append(all, lateSend{unansweredSend: one, queue: q, before: true})
			}
		}
	}
	return all
}

// over reports whether what was lost is surely stored by now, or never will be.
func (l unansweredSend) over() bool { return !l.answered.IsZero() && time.Since(l.answered) > lossTime }

// ends takes note that a session's client has gone, and that it has so many connections to servers
// yet.
func (l *unansweredSends) ends(s *session, ups int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.ending == nil {
		l.ending = map[*session]int{}
	}
	if l.ending[s] += ups; l.ending[s] == 0 {
		delete(l.ending, s)
	}
}

// ended are the sessions whose clients have gone, and that have connections to servers yet.
func (l *unansweredSends) ended() []*session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Collect(maps.Keys(l.ending))
}

// answered takes note of a broker that answered what it was asked then; whether another loss waits
// for it.
func (l *unansweredSends) answered(by routing.Dest, asked time.Time, does bool) (more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for q, one := range l.of {
		if one.at == by {
			more = one.hears(asked, does) || more
			l.of[q] = one
		}
	}
	if one, there := l.before[by]; there {
		more = one.hears(asked, does) || more
		l.before[by] = one
	}
	if !more {
		delete(l.asking, by)
	}
	return more
}

// hears takes note whether its broker answers what it was asked then; whether it is to be asked
// again.
func (l *unansweredSend) hears(asked time.Time, does bool) (again bool) {
	if !l.answered.IsZero() {
		return false
	}
	if !does || l.since.After(asked) {
		return true
	}
	l.answered = time.Now()
	return false
}

const (
	signTime  = 3 * time.Second // for a broker's answer
	signPause = 500 * time.Millisecond
)

// untilItAnswers asks a broker until it answers: what it got before has been read then.
func (ss *sessions) untilItAnswers(to routing.Dest) {
	for {
		asked := time.Now()
		if !ss.unansweredSends.answered(to, asked, ss.answers(to)) || sleep.For(ss.ctx, signPause) != nil {
			return
		}
	}
}

// answers reports whether a broker answers anything, be it a refusal.
func (ss *sessions) answers(to routing.Dest) bool {
	client := ss.sides.Source.Client()
	if to.Side == routing.Target {
		l, err := ss.sides.Lanes()
		if err != nil {
			return false
		}
		client = l.Migration.TargetCluster.Client()
	}
	for _, addr := range ss.addresses(to) {
		ctx, cancel := context.WithTimeout(ss.ctx, signTime)
		there := answers(ctx, client, addr)
		cancel()
		if there {
			return true
		}
	}
	return false
}
