package gateway

import (
	"context"
	"sync"
	"time"

	"rocketshift/internal/rocketmq"
)

// losses are queues with sends whose answers were lost. The broker may store them a little later, and one that stands still may do so once it goes on.
type losses struct {
	mu     sync.Mutex
	of     map[*queue]loss
	asking map[dest]bool // brokers that are asked until they answer
}

type loss struct {
	at       dest
	since    time.Time
	answered time.Time // when the broker has first answered anything since then
}

// lossTime is how long a broker that answers may still work off what came over a connection that broke.
const lossTime = 10 * time.Second

// unanswered takes note of a call without an answer, if it is a send.
func (g *Gateway) unanswered(c call) {
	if c.queue == nil || !sends(c.code) {
		return
	}
	l, to := &g.losses, c.up.dest
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.of == nil {
		l.of, l.asking = map[*queue]loss{}, map[dest]bool{}
	}
	l.of[c.queue] = loss{at: to, since: time.Now()}
	if !l.asking[to] {
		l.asking[to] = true
		g.running.Go(func() { g.untilItAnswers(to) })
	}
}

// among is one of the queues that has lost a send a short time ago, and whether its broker answers again.
func (l *losses) among(of map[*queue]*hold) (lost *queue, answers bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for q, one := range l.of {
		answers = !one.answered.IsZero()
		switch {
		case answers && time.Since(one.answered) > lossTime:
			delete(l.of, q)
		case of[q] != nil:
			return q, answers
		}
	}
	return nil, false
}

// answered takes note of a broker that answered what it was asked then; whether another loss waits for it.
func (l *losses) answered(by dest, asked time.Time, does bool) (more bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for q, one := range l.of {
		if one.at != by || !one.answered.IsZero() {
			continue
		}
		if !does || one.since.After(asked) {
			more = true
			continue
		}
		one.answered = time.Now()
		l.of[q] = one
	}
	if !more {
		delete(l.asking, by)
	}
	return more
}

const (
	signTime  = 3 * time.Second // for a broker's answer
	signPause = 500 * time.Millisecond
)

// untilItAnswers asks a broker until it answers: what it got before has been read then.
func (g *Gateway) untilItAnswers(to dest) {
	for {
		asked := time.Now()
		if !g.losses.answered(to, asked, g.answers(to)) || wait(g.ctx, signPause) != nil {
			return
		}
	}
}

// answers reports whether a broker answers anything, be it a refusal.
func (g *Gateway) answers(to dest) bool {
	client := g.source.Client()
	if to.side == target {
		l, err := g.lanes()
		if err != nil {
			return false
		}
		client = l.target.Client()
	}
	for _, addr := range g.addresses(to) {
		ctx, cancel := context.WithTimeout(g.ctx, signTime)
		_, err := client.Runtime(ctx, addr)
		cancel()
		if err == nil || rocketmq.CodeOf(err) >= 0 {
			return true
		}
	}
	return false
}
