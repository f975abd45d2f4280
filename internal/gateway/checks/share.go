package checks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/store"
	"rocketshift/internal/rocketmq"
)

// Members of a group that are behind the gateway share its queues with members that are connected
// straight to the authority's side. That works because members allocate queues by the place of each
// in the sorted list, which is the same for both. Some strategies go by names instead, and these
// differ. No request tells the strategy, but members do when they are asked what they hold
// (GET_CONSUMER_RUNNING_INFO): so it is looked at before the target becomes the authority, and what
// members hold is compared while both kinds of them are there.

// byPlace are the strategies that go by the places of queues, not by their names.
var byPlace = []string{"AllocateMessageQueueAveragely", "AllocateMessageQueueAveragelyByCircle"}

// MayShare refuses to change the authority where members would share queues wrongly afterwards.
// It returns what is inexact by what the caller accepts.
func (ck *Checks) MayShare(
	ctx context.Context,
	m control.Move,
	r store.Round,
	to routing.Side,
) (inexact []string, err error) {
	l, err := ck.sides.Lanes()
	if err != nil {
		return nil, err
	}
	if to == routing.Target && !ck.table.AnythingOnTarget() {
		return nil, control.Refused("nothing is on the target yet: move groups and homes first")
	}
	if inexact, err = ck.host.Fit(r); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	var refusals []*control.BypassedError // of each group: their applications return together
	var all errgroup.Group
	all.SetLimit(replicas.AskedTogether)
	for _, one := range ck.table.Groups.All() {
		if !one.ReadsOn(routing.Target) {
			continue // no part of the migration: the source stays its authority
		}
		all.Go(func() error {
			if err := ready(one, to); err != nil {
				return err
			}
			passing, err := ck.NoneIsPast(ctx, one.Name, to.Other(), l, m.Accept)
			mu.Lock()
			inexact = append(inexact, passing...)
			var refusal *control.BypassedError
			if errors.As(err, &refusal) {
				refusals, err = append(refusals, refusal), nil
			}
			mu.Unlock()
			if err != nil || refusal != nil || to == routing.Source {
				return err
			}
			accepted := slices.Contains(m.Accept, one.Name)
			if err := sameRetries(ck.table, one.Name); err != nil && !accepted {
				return err
			}
			return ShareOnTarget(ctx, ck.table, one.Name, accepted, l)
		})
	}
	if err = all.Wait(); err == nil {
		err = control.AllBypassed(refusals)
	}
	return inexact, err
}

// ready refuses the target as authority while members behind the gateway read the source, or
// producers write there: those that are connected to the target would read and write the other
// replica.
func ready(g *routing.Group, to routing.Side) error {
	if to == routing.Source {
		return nil
	}
	for _, v := range g.All() {
		own := strings.HasPrefix(v.Queue.Topic, "%") // brokers write to retry and dead-letter topics
		switch {
		case v.Queue.Lane() != nil && v.Reads() == routing.Source:
			return control.Refused("group %s reads queue %s on the source: move the group to the target first",
				g.Name, v.Queue)
		case v.Queue.Lane() != nil && !own && v.Queue.At() == routing.Source:
			return control.Refused(
				"queue %s, which group %s reads, has its home on the source: move it to the target first",
				v.Queue, g.Name,
			)
		}
	}
	return nil
}

// sameRetries refuses groups whose retry topic has queues on the target that members behind the
// gateway don't see: they and members on the target would share its queues differently.
func sameRetries(rt *routing.Table, group string) error {
	t := rt.Topics.Get([]byte(rocketmq.RetryTopic(group)))
	if t == nil || t.Beyond.Load() <= 0 {
		return nil
	}
	return control.Refused(
		"group %s: %s has %d queues more on the target than on the source, and members behind the gateway "+
			"don't see these: give it as many on the source; "+
			"or accept the group, where retries may wait until none is left behind the gateway",
		group,
		t.Name,
		t.Beyond.Load(),
	)
}

// ShareOnTarget refuses groups with a member that says it allocates queues by their names. What
// members hold locked is locked for them on the target too, where they and others will ask for it
// from now on.
func ShareOnTarget(ctx context.Context, rt *routing.Table, group string, accepted bool, l replicas.Lanes) error {
	members, model, err := l.MembersOn(ctx, group, routing.Source)
	if err != nil || model == bodies.Broadcasting {
		return err
	}
	for _, id := range routing.SortedKeys(members) {
		info, err := l.Ask(ctx, routing.Source, members[id], group, id)
		if err != nil {
			continue // it doesn't say, as those of client-go at times: what it holds will be looked at
		}
		if name := strategy(info); name != "" && !accepted && !slices.Contains(byPlace, name) {
			return control.Refused(
				"group %s: %s allocates queues by %s, which may go by brokers' names: members behind the "+
					"gateway and members on the target would read the same queues, "+
					"or leave some to nobody. Give it the usual strategy; or accept the group, and start "+
					"members on the target when none is left behind the gateway",
				group,
				id,
				name,
			)
		}
		if err := l.CarryLocks(ctx, group, id, rt.Says(group, info)); err != nil {
			return fmt.Errorf("group %s: the locks of %s: %w", group, id, err)
		}
	}
	return nil
}

// strategy is the class by which a Java member allocates queues; "" if it doesn't say.
func strategy(info rocketmq.RunningInfo) string {
	name, _, _ := strings.Cut(info.Properties["allocateMessageQueueStrategy"], "@")
	return name[strings.LastIndexByte(name, '.')+1:]
}
