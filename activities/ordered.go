package activities

import (
	"context"
	"slices"
	"time"

	"go.temporal.io/sdk/activity"

	"rocketshift/api"
	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/fault"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/documents/lists"
	"rocketshift/internal/printable"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
)

// MoveOrdered opens ordered topics on the side that their producers go to, each as soon as nothing
// is written on From any more and its last message was copied, until all of them are open, or those
// that producers still write to are left after r.Stay. They were closed there before anybody was
// asked to move. Which are open is read from the brokers, so that another attempt goes on.
func (t *Traffic) MoveOrdered(
	ctx context.Context, r AwaitMoveRequest,
) (left OrderedMove, err error) {
	defer explained(&err)
	topics, err := lists.Resolve(ctx, t.settings.Store, r.Topics)
	if err != nil {
		return left, err
	}
	both, err := t.settings.clusters().Both(ctx, r.Plan.WithDefaults())
	if err != nil {
		return left, err
	}
	begun := activity.GetInfo(ctx).ScheduledTime
	seen := resumedStabilities(ctx)
	if len(seen) == 0 && r.Stood != nil {
		seen = r.Stood
	}
	err = poll(ctx, func() error {
		closed, err := closedTopics(ctx, both, r.From.Other(), topics)
		if err != nil || len(closed) == 0 {
			return err
		}
		quiet, waiting, err := quietTopics(ctx, both, r, closed, seen)
		if err != nil {
			return err
		}
		activity.RecordHeartbeat(ctx, seen)
		lagging, err := t.openDrained(ctx, both, r, quiet)
		switch {
		case err != nil:
			return err
		case len(waiting) > 0 && len(lagging) == 0 && r.Stay > 0 && time.Since(begun) >= r.Stay:
			left.Waiting = len(waiting)
			return nil
		case len(waiting)+len(lagging) > 0:
			return r.notOpen(len(topics), append(waiting, lagging...))
		}
		return nil
	})
	return left, err
}

func (r AwaitMoveRequest) notOpen(of int, topics []string) error {
	return fault.NotReady("%d of %d ordered topics can't be opened on the %s yet: %s", len(topics), of,
		r.From.Other(), printable.Few(topics))
}

// AwaitOrdered waits until MoveOrdered has something to do: until the producers of one of the
// topics that are closed have left From. It only looks, as often as MoveOrdered does: whoever has
// left is refused until the topic is open.
func (t *Traffic) AwaitOrdered(ctx context.Context, r AwaitMoveRequest) (_ Quiet, err error) {
	defer explained(&err)
	p, seen := r.Plan.WithDefaults(), resumedStabilities(ctx)
	wait := waiting{urgent: true, seen: seen, settle: time.Duration(p.Shift.Settle)}
	err = wait.until(ctx, func() error {
		both, err := t.settings.clusters().Both(ctx, p)
		if err != nil {
			return err
		}
		topics, err := lists.Resolve(ctx, t.settings.Store, r.Topics)
		if err != nil {
			return err
		}
		closed, err := closedTopics(ctx, both, r.From.Other(), topics)
		if err != nil || len(closed) == 0 {
			return err
		}
		quiet, waiting, err := quietTopics(ctx, both, r, closed, seen)
		// proxies open none alone
		if err != nil || len(waiting) == 0 || len(quiet) > 0 && both.At(r.From.Other()).Proxy() == "" {
			return err
		}
		return r.notOpen(len(topics), waiting)
	})
	return Quiet{Stood: seen.Still(time.Now(), lookAgain)}, err
}

// closedTopics are those of the topics that are read-only on a side.
func closedTopics(ctx context.Context, s clusters.Both, side api.Side, topics []string) ([]string, error) {
	c := s.At(side)
	if c.Proxy() != "" { // which opens and closes no topic: all are looked at, and are opened at once
		return topics, nil
	}
	brokers, err := c.FindBrokers(ctx)
	if err != nil {
		return nil, err
	}
	table, err := c.TopicTable(ctx, brokers, nil)
	if err != nil {
		return nil, err
	}
	var closed []string
	for _, name := range topics {
		if len(table[name]) == 0 {
			return nil, fault.Refused("topic %s: no broker of the %s has it: run ImportMetadata to compare", name, c.Side)
		}
		for _, config := range table[name] {
			if config.Perm&rocketmq.PermWrite == 0 {
				closed = append(closed, name)
				break
			}
		}
	}
	return closed, nil
}

// quietTopics sorts topics by whether their producers have been quiet on From for long enough.
func quietTopics(
	ctx context.Context, s clusters.Both, r AwaitMoveRequest, topics []string, seen stability.Set,
) (quiet, waiting []string, err error) {
	puts, err := countPutsOn(ctx, s, r.From, topics)
	if err != nil {
		return nil, nil, err
	}
	now := time.Now()
	for _, topic := range topics {
		wanted := time.Duration(s.Plan.Shift.Settle)
		if r.Released || slices.Contains(r.Said, topic) {
			wanted = quietReleased
		}
		if seen.Stands(topic, puts[topic], now) < wanted {
			waiting = append(waiting, moving(topic, seen[topic], now, wanted))
		} else {
			quiet = append(quiet, topic)
		}
	}
	return quiet, waiting, nil
}

// openDrained opens those of the topics whose lanes have copied everything, and names the others.
func (t *Traffic) openDrained(
	ctx context.Context, both clusters.Both, r AwaitMoveRequest, topics []string,
) (lagging []string, err error) {
	if len(topics) == 0 {
		return nil, nil
	}
	l, err := both.Layout(ctx)
	if err != nil {
		return nil, err
	}
	first, err := measureLanes(ctx, both, l, topics)
	if err == nil {
		err = sleep.For(ctx, drainedTwice)
	}
	if err != nil {
		return nil, err
	}
	states, err := measureLanes(ctx, both, l, topics)
	if err != nil {
		return nil, err
	}
	behind := map[string]laneState{}
	for i, state := range states {
		if state.lag() > 0 || state.max != first[i].max {
			behind[state.lane.Topic] = state
		}
	}
	var ready []string
	for _, topic := range topics {
		if state, late := behind[topic]; late {
			lagging = append(lagging, "not copied yet: "+state.String())
		} else {
			ready = append(ready, topic)
		}
	}
	if len(ready) == 0 {
		return lagging, nil
	}
	if err := noteLeft(ctx, both, r.From, ready); err != nil {
		return nil, err
	}
	open := TopicsRequest{Request: r.Request, Side: r.From.Other(), Topics: api.Some(ready...)}
	return lagging, t.OpenTopics(ctx, open)
}
