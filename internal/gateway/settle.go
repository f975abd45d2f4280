package gateway

import (
	"context"
	"fmt"
	"slices"
	"time"

	"rocketshift/internal/gateway/connections"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/sleep"
)

// orAccept ends what is said of sends that may still be on their ways.
const orAccept = "; or accept the topic, " +
	"where they may be stored behind what is sent to the other side"

// worthATry is an error where sends would be held for nothing: the budget is over before what may
// still be on its way surely isn't any more.
func (g *Gateway) worthATry(r store.Round, queues []*routing.Queue) error {
	_, all := acceptedOf(g.clients.unansweredSends.among(setOf(queues)), r.Accept)
	for _, one := range all {
		if left := one.left(); !one.answered.IsZero() && left > time.Duration(r.Budget) {
			return fmt.Errorf("%s: wait %s%s", one, left.Round(time.Second), orAccept)
		}
	}
	return nil
}

func setOf(queues []*routing.Queue) map[*routing.Queue]bool {
	of := make(map[*routing.Queue]bool, len(queues))
	for _, q := range queues {
		of[q] = true
	}
	return of
}

// acceptedOf parts sends that may still be on their ways into those to topics that a caller
// accepts, and others.
func acceptedOf(all []lateSend, accept []string) (accepted, others []lateSend) {
	for _, one := range all {
		if slices.Contains(accept, one.queue.Topic) {
			accepted = append(accepted, one)
		} else {
			others = append(others, one)
		}
	}
	return accepted, others
}

// settle waits until every send to the queues is answered, and none can still be on its way but to
// topics that the caller accepts. What is so of these is said.
func (g *Gateway) settle(
	ctx context.Context, m *holding, accept []string,
) (inexact []string, err error) {
	of := setOf(m.queues)
	for {
		n := g.unansweredTo(of)
		accepted, lost := acceptedOf(g.clients.unansweredSends.among(of), accept)
		if n == 0 && len(lost) == 0 {
			for _, one := range accepted {
				inexact = append(inexact, one.String())
			}
			return inexact, nil
		}
		if sleep.For(ctx, replicas.ProofPause/2) != nil {
			if len(lost) > 0 {
				return nil, fmt.Errorf("%s%s: %w", lost[0], orAccept, context.Cause(ctx))
			}
			return nil, fmt.Errorf("%d sends are without an answer: %w", n, context.Cause(ctx))
		}
	}
}

// unreadTime is how long a client may not read while sends wait for the answers to its own: half of
// a move's usual budget. The connection to its broker isn't read meanwhile either.
const unreadTime = control.UsualBudget / 2

// unansweredTo counts the sends to queues that are without an answer. Clients that don't read what
// they have asked for are let go: else they could keep homes where they are.
func (g *Gateway) unansweredTo(of map[*routing.Queue]bool) (n int) {
	for _, s := range g.clients.registry.all() {
		own := s.sendsTo(of)
		n += own
		if own > 0 && s.out.Blocked() > unreadTime {
			if g.clients.figures.said.unread.Due() {
				g.log.Warn("a client doesn't read what the answers to its sends wait behind, "+
					"which holds up a move: its connection was closed",
					"client", s.conn.RemoteAddr().String(), "sends", own)
			}
			_ = connections.Bare(s.conn).Close()
		}
	}
	for _, s := range g.clients.unansweredSends.ended() { // behind the others: sessions go from there to here
		n += s.sendsTo(of)
	}
	return n
}
