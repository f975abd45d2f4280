package gateway

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/rocketmq"
	"rocketshift/replicator"
)

// viewsOf are a group's views of all queues that it reads: of those that were asked for here, and of those that it has positions on.
func (g *Gateway) viewsOf(ctx context.Context, name string) ([]*view, error) {
	one := g.groups.get([]byte(name))
	topics := map[string]bool{rocketmq.RetryTopic(name): true}
	for _, v := range one.all() {
		topics[v.topic] = true
	}
	brokers, err := g.source.Brokers(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	for _, b := range brokers {
		positions, err := g.source.Client().AllOffsets(ctx, b.Addr)
		if err != nil {
			return nil, fmt.Errorf("positions on source broker %s: %w", b.Name, err)
		}
		for of := range positions {
			if of.Group == name {
				topics[of.Topic] = true
			}
		}
	}
	var all []*view
	for _, topic := range sortedKeys(topics) {
		t := g.topics.get([]byte(topic))
		if t == nil {
			continue // it is no more, or it is the group's retry topic that no broker has made yet
		}
		if problem := t.reason(); problem != "" {
			return nil, fmt.Errorf("group %s: %s", name, problem)
		}
		for _, q := range t.all() {
			all = append(all, one.of(q))
		}
	}
	return all, nil
}

// prepareViews makes the group's pulls wait.
func (g local) prepareViews(p *part) (known Prepared, err error) {
	one := g.groups.get([]byte(p.round.Group))
	views := one.all()
	for _, q := range p.round.Queues {
		if v := one.of(g.queueFor(q.Topic, q.Broker, q.ID)); !slices.Contains(views, v) {
			views = append(views, v)
		}
	}
	if p.views, err = g.stopPulls(views, p.to); err != nil {
		return known, err
	}
	for _, v := range p.views {
		known.Views = append(known.Views, v.prepared())
	}
	return known, nil
}

// prepared is what this gateway knows of where the group is.
func (v *view) prepared() PreparedView {
	v.mu.Lock()
	defer v.mu.Unlock()
	return PreparedView{v.name(), v.next, Duration(time.Since(v.nextAt)), v.kept, Duration(time.Since(v.keptAt))}
}

// newest puts together what all gateways know: of each queue what the one knows that has answered a pull, or taken a commit, last.
func newest(all []Prepared) map[TopicQueue]PreparedView {
	best := map[TopicQueue]PreparedView{}
	for _, known := range all {
		for _, v := range known.Views {
			now, there := best[v.TopicQueue]
			if !there {
				best[v.TopicQueue] = v
				continue
			}
			if v.Next >= 0 && (now.Next < 0 || v.NextAge < now.NextAge) {
				now.Next, now.NextAge = v.Next, v.NextAge
			}
			if v.Kept >= 0 && (now.Kept < 0 || v.KeptAge < now.KeptAge) {
				now.Kept, now.KeptAge = v.Kept, v.KeptAge
			}
			best[v.TopicQueue] = now
		}
	}
	return best
}

// proveViews finds for each queue the place on the other side that is the same as the group's next offset, and brings the group's position there.
func (g *Gateway) proveViews(ctx context.Context, p *part, prepared []Prepared) (*Outcome, error) {
	l, err := g.lanes()
	if err != nil {
		return nil, err
	}
	one := g.groups.get([]byte(p.round.Group))
	known := newest(prepared)
	names := slices.Collect(maps.Keys(known))
	o := &Outcome{Views: make([]savedView, len(names))}
	var all errgroup.Group
	all.SetLimit(provedTogether)
	for i, name := range names {
		all.Go(func() error {
			v := one.of(g.queueFor(name.Topic, name.Broker, name.ID))
			s, err := l.step(ctx, v, p.to, known[name])
			o.Views[i] = v.after(p.to, s)
			return err
		})
	}
	return o, all.Wait()
}

// after is the view as it reads from the other side.
func (v *view) after(to side, s step) savedView {
	w := viewAsIs(v)
	w.Side, w.Proved, w.Shift[to] = to.String(), s.next, s.there-s.next
	return w
}

// stopPulls makes the pulls of views wait that are to move, and answers those that wait at brokers. It returns the views.
func (g *Gateway) stopPulls(views []*view, to side) ([]*view, error) {
	var moving []*view
	is := map[*view]bool{}
	for _, v := range views {
		v.mu.Lock()
		busy := v.moving
		if !busy && v.side != to {
			v.moving = true
			moving, is[v] = append(moving, v), true
		}
		v.mu.Unlock()
		if busy {
			goOn(moving)
			return nil, fmt.Errorf("group %s is being moved already", v.group)
		}
	}
	for _, s := range g.all() {
		if open := s.takeAll(func(c call) bool { return is[c.view] && isPull(c.code) }); len(open) > 0 {
			s.running.Go(func() { // a client may not read, which is nobody else's business
				for _, c := range open {
					s.pullAgain(c.opaque, c.binary, c.offset)
				}
			})
		}
	}
	return moving, nil
}

// step is where a view goes on, on the side that it moves to.
type step struct {
	next  int64 // the group's next offset, as the group counts
	there int64 // what that is on the new side
}

// step finds the place on the new side that is the same as the group's next offset, and commits the group's position there.
func (l lanes) step(ctx context.Context, v *view, to side, is PreparedView) (step, error) {
	v.mu.Lock()
	from, next, kept, shift := v.side, is.Next, is.Kept, v.shift[v.side]
	v.mu.Unlock()
	committed, known, err := l.position(ctx, v.queue, v.group, from)
	if err != nil {
		return step{}, err
	}
	if kept >= 0 && (!known || kept+shift > committed) { // a commit may be on its way
		committed, known = kept+shift, true
	}
	native := next + shift
	switch {
	case next >= 0 && (!known || native >= committed):
	case known: // what was read since was read past the gateway
		native = committed
	default: // nobody has read the queue: any place that is the same on both sides
		if native, err = l.end(ctx, v.queue, from); err != nil {
			return step{}, err
		}
	}
	var position errgroup.Group // pulls wait meanwhile
	if known {
		position.Go(func() error { return l.bring(ctx, v, to, committed) })
	}
	there, err := l.exact(ctx, v.queue, from, native)
	if behind := position.Wait(); err == nil {
		err = behind
	}
	if err != nil {
		return step{}, fmt.Errorf("group %s: %w", v.group, err)
	}
	return step{native - shift, there}, nil
}

// bring commits a group's position, which is a native one of the other side, on a side, as soon as that holds what lies before.
func (l lanes) bring(ctx context.Context, v *view, to side, position int64) error {
	for {
		t, err := l.across(ctx, v.queue, to.other(), position)
		if err == nil {
			return l.commit(ctx, v.queue, v.group, to, t.Target)
		}
		if !errors.Is(err, replicator.ErrNotCopiedYet) || wait(ctx, proofPause) != nil {
			return err
		}
	}
}

// keepPause is how often positions are brought to the side that a group doesn't read.
const keepPause = 2 * time.Second

// keepPositions keeps the positions of groups that were moved on the side that they don't read, so that they can go back from anywhere, and find
// their place when they do without a gateway.
func (g *Gateway) keepPositions() {
	tick := time.NewTicker(keepPause)
	defer tick.Stop()
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-tick.C:
		}
		l, err := g.lanes()
		if err != nil {
			continue
		}
		var all errgroup.Group
		all.SetLimit(provedTogether / 4)
		for _, one := range g.groups.all() {
			for _, v := range one.all() {
				all.Go(func() error {
					l.keep(g.ctx, v)
					return nil
				})
			}
		}
		_ = all.Wait()
	}
}

func (l lanes) keep(ctx context.Context, v *view) {
	ctx, cancel := context.WithTimeout(ctx, keepPause)
	defer cancel()
	v.mu.Lock()
	on, position := v.side, v.native(v.side, v.kept)
	due := v.dirty && !v.moving && v.kept >= 0 && (on == target || v.shift != [2]int64{})
	v.dirty = v.dirty && !due
	v.mu.Unlock()
	if !due {
		return
	}
	t, err := l.across(ctx, v.queue, on, position)
	if err == nil {
		err = l.commit(ctx, v.queue, v.group, on.other(), t.Target)
	}
	if err != nil { // it isn't copied yet, or the side is away
		v.mu.Lock()
		v.dirty = true
		v.mu.Unlock()
	}
}
