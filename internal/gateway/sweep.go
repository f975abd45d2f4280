package gateway

import (
	"fmt"
	"slices"
	"time"

	"rocketshift/internal/sleep"
)

// waits are how long a gateway waits for others.
type waits struct {
	frame  time.Duration // for a frame of a client that has begun, and for its first one
	send   time.Duration // for the answer to a send: brokers themselves wait 5 s for disks and slaves
	answer time.Duration // for the answer to anything else; long polls last for 20 s
	silent time.Duration // for any sign of a server that was asked something
	sweep  time.Duration // between two looks
}

var usualWaits = waits{
	frame:  30 * time.Second,
	send:   30 * time.Second,
	answer: 2 * time.Minute,
	silent: time.Minute,
	sweep:  2 * time.Second,
}

func (p waits) with(code int) time.Duration {
	if sends(code) {
		return p.send
	}
	return p.answer
}

// sweepAgain ends what nobody else ends: calls that brokers forgot, connections that hang
// half-open, frames that don't come to their ends.
func (ss *sessions) sweepAgain() {
	for sleep.For(ss.ctx, ss.waits.sweep) == nil {
		now := time.Now()
		for _, s := range ss.registry.all() {
			s.sweep(now)
		}
		ss.forgetViews()
	}
}

// swept is what was seen of a connection at the last look. Only the sweep uses it.
type swept struct {
	frames int64     // that had come
	since  time.Time // when that was first seen
}

// age is for how long nothing has come but these frames.
func (w *swept) age(frames int64, now time.Time) time.Duration {
	if w.frames != frames || w.since.IsZero() {
		w.frames, w.since = frames, now
	}
	return now.Sub(w.since)
}

func (s *session) sweep(now time.Time) {
	frames, begun := s.frames.Load(), s.begun.Load()
	if s.absent || !begun && frames > 0 {
		s.seen.since = time.Time{} // it rests between two frames
	} else if s.seen.age(frames, now) > s.gateway.waits.frame {
		if s.gateway.figures.said.unfinished.Due() {
			s.gateway.log.Warn("a client doesn't come to the end of a frame; its connection was closed",
				"client", s.conn.RemoteAddr().String(), "frames before", frames)
		}
		_ = s.conn.Close()
		return
	}
	late, silent := s.overdue(now)
	s.owe(0, func(c call) string {
		return fmt.Sprintf("%s broker %s hasn't answered it for %s", c.side, c.up.dest.Broker,
			s.gateway.waits.with(c.code))
	}, late...)
	s.lessForCalls()
	for _, up := range silent {
		if s.gateway.figures.said.silent.Due(up.dest) {
			s.gateway.log.Warn("a server says nothing any more; the connection to it was closed", "side",
				up.dest.Side.String(), "broker", up.dest.Broker)
		}
		_ = up.conn.Close() // who reads there answers what is open
	}
}

// overdue takes the calls out of the table that their servers have forgotten, as they have said
// other things since, and finds the servers that say nothing.
func (s *session) overdue(now time.Time) (late []call, silent []*upstream) {
	s.mu.Lock()
	quiet := make(map[*upstream]time.Duration, len(s.ups))
	for _, up := range s.ups {
		if up.conn != nil {
			quiet[up] = up.seen.age(up.frames.Load(), now)
		}
	}
	for _, c := range s.open {
		age := now.Sub(c.since)
		if !isPull(c.code) && min(age, quiet[c.up]) > s.gateway.waits.silent && !slices.Contains(silent, c.up) {
			silent = append(silent, c.up)
		}
	}
	s.mu.Unlock()
	return s.lose(func(c call) bool {
		age := now.Sub(c.since)
		return age > s.gateway.waits.with(c.code) && quiet[c.up] < s.gateway.waits.with(c.code)/2
	}), silent
}
