package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/sleep"
)

// A group stays on the target when each of its brokers lists all members that the source lists: it
// would refuse the pulls of others. Members may be lost there between the look before a move and
// its end, as when a broker is started again, which forgets them until their next heartbeats, up to
// 30 s later. So it is looked at again after the move. The group goes back where members are still
// missing.

// remirror brings the heartbeats of a group's members behind this gateway to the target at once.
func (sr *sessionRegistry) remirror(group string) {
	for _, s := range sr.all() {
		s.mu.Lock()
		reads := slices.ContainsFunc(s.reads, func(m bodies.Membership) bool { return m.Group == group })
		s.mu.Unlock()
		if reads {
			s.mirrorBeat()
		}
	}
}

// stays makes sure, after a group has moved to the target, that all its members are known there.
func (g *Gateway) stays(ctx context.Context, m control.Move, r store.Round, l replicas.Lanes) error {
	if r.To != routing.Target.String() {
		return nil
	}
	g.reached(store.PhaseStays)
	missing := l.KnownOnTarget(ctx, r.Group, routing.Target, func() { g.clients.registry.remirror(r.Group) })
	if missing == nil {
		return nil
	}
	g.moves.forget(m.ID) // it isn't what is answered to whoever asks again
	g.log.Warn("a group goes back to the source: members aren't known on the target after its move", "group",
		r.Group, "cause", missing)
	back := r
	back.ID, back.To, back.Ends = r.ID+"/back", routing.Source.String(), nil
	if err := g.returns(ctx, m, back); err != nil {
		_ = g.save() // that it was forgotten
		return fmt.Errorf("group %s is on the target, where members aren't known: %s; and it can't go back: %v",
			r.Group, unwrapped(missing), err)
	}
	return fmt.Errorf("group %s was on the target and has gone back: %s", r.Group, unwrapped(missing))
}

const (
	// returnTime bounds how long a group tries to go back.
	returnTime = 10 * time.Second
	// returnPause is between two tries: what hinders one is mostly a lane that is a little behind.
	returnPause = 200 * time.Millisecond
)

// returns moves a group back to the source, within a bound.
func (g *Gateway) returns(ctx context.Context, m control.Move, r store.Round) error {
	ctx, cancel := context.WithTimeout(ctx, returnTime)
	defer cancel()
	for try, id := 1, r.ID; ; try++ {
		r.ID = fmt.Sprintf("%s-%d", id, try)
		_, err := g.moveGroup(ctx, m, r, routing.Source)
		if err == nil || sleep.For(ctx, returnPause) != nil {
			return err
		}
	}
}

// unwrapped is an error's text without that it is a refusal: the group has moved.
func unwrapped(err error) string {
	if errors.Is(err, control.ErrRefused) {
		return err.Error()[len(control.ErrRefused.Error())+2:]
	}
	return err.Error()
}

// checkAgain makes sure that groups stay of which that wasn't known yet when the gateway ended.
func (g *Gateway) checkAgain(ctx context.Context, m control.Move, was control.Moved) (control.Moved, error) {
	l, err := g.sides.Lanes()
	if err != nil {
		return was, control.Refused("%v", err)
	}
	for _, group := range m.Groups {
		r := store.Round{
			ID:     m.ID + "/" + group,
			Kind:   m.Kind,
			To:     m.To,
			Budget: m.Budget,
			Group:  group,
			Accept: m.Accept,
		}
		if err := g.stays(ctx, m, r, l); err != nil {
			return control.Moved{ID: m.ID, Epoch: g.moves.epoch.Load(), Reason: err.Error()}, nil
		}
	}
	was.Unchecked = false
	g.moves.remember(was)
	return was, nil
}
