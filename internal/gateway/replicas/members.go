package replicas

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/sleep"
)

// Member is a member of a group with the address of a broker that it is connected to.
type Member struct {
	At, broker  string
	Connections []string // addresses of all of that id
}

// MembersOn are a group's members on a side by their ids, and how they read.
func (l Lanes) MembersOn(
	ctx context.Context,
	group string,
	on routing.Side,
) (all map[string]Member, model string, err error) {
	c := l.Clusters[on]
	brokers, err := c.Brokers(ctx)
	if err != nil {
		return nil, "", fmt.Errorf("%s: %w", on, err)
	}
	all = map[string]Member{}
	for _, b := range brokers {
		members, err := c.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
		if err != nil {
			return nil, "", fmt.Errorf("members of group %s on %s broker %s: %w", group, on, b.Name, err)
		}
		model = cmp.Or(model, members.MessageModel)
		for _, m := range members.Connections {
			all[m.ClientID] = Member{m.Addr, b.Addr, append(all[m.ClientID].Connections, m.Addr)}
		}
	}
	return all, model, nil
}

// KnownOnTarget refuses to move a group to the target while one of its brokers doesn't list all
// members that the source lists: it would refuse their pulls. A proxy doesn't say whom it lists.
// Members that are missing are introduced again. Brokers that don't answer refuse nobody: that is an
// error of its own, after which the same move may succeed.
func (l Lanes) KnownOnTarget(ctx context.Context, group string, to routing.Side, introduce func()) error {
	if to == routing.Source || l.Migration.Proxy != "" {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, KnownTime)
	defer cancel()
	why, last := "", time.Time{}
	var silent error // why it couldn't be looked the last time
	for {
		missing, err := l.unknownOnTarget(ctx, group)
		switch {
		case err == nil && missing == "":
			return nil
		case err == nil:
			why, silent = missing, nil
		case ctx.Err() == nil || why == "" && silent == nil:
			silent = err
		}
		if time.Since(last) > introducePause {
			last = time.Now()
			introduce()
		}
		if sleep.For(ctx, 10*ProofPause) != nil {
			if silent != nil {
				return fmt.Errorf("group %s: whether the target knows its members isn't known: %w", group, silent)
			}
			return control.Refused(
				"group %s: %s, and its pulls would be refused there: two applications with one client id and "+
					"other groups, or a heartbeat that the target refuses, may be the cause",
				group,
				why,
			)
		}
	}
}

// unknownOnTarget says which members of a group a target broker doesn't list, and nothing if all
// list all.
func (l Lanes) unknownOnTarget(ctx context.Context, group string) (missing string, err error) {
	here, _, err := l.MembersOn(ctx, group, routing.Source)
	if err != nil || len(here) == 0 {
		return "", err
	}
	brokers, err := l.Migration.TargetCluster.Brokers(ctx)
	if err != nil {
		return "", fmt.Errorf("target: %w", err)
	}
	for _, b := range brokers {
		there, err := l.Migration.TargetCluster.Client().ConsumerConnectionsOf(ctx, b.Addr, group)
		if err != nil {
			return "", fmt.Errorf("members of group %s on target broker %s: %w", group, b.Name, err)
		}
		known := map[string]bool{}
		for _, m := range there.Connections {
			known[m.ClientID] = true
		}
		for _, id := range routing.SortedKeys(here) {
			if !known[id] {
				return fmt.Sprintf("target broker %s doesn't list member %s at %s", b.Name, id, here[id].At), nil
			}
		}
	}
	return "", nil
}

// Ask asks a member what it holds.
func (l Lanes) Ask(ctx context.Context, on routing.Side, m Member, group, id string) (rocketmq.RunningInfo, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return l.Clusters[on].Client().ConsumerRunningInfo(ctx, m.broker, group, id)
}

// When the target becomes the authority, what members hold locked on the source is locked for them
// there too, by the gateway's own account: clients ask for it anew only every 20 s, and who asks
// first would get it. No request tells who holds a lock, and members say of themselves whatever
// they like. So of what one says count the queues that its group reads, as brokers have let it, and
// of those the ones for which the source's broker gives the member the lock again, which it does to
// nobody while another one has it.

// CarryLocks locks queues for a member on the target, as far as it holds them locked on the source.
func (l Lanes) CarryLocks(ctx context.Context, group, member string, queues []*routing.Queue) error {
	held, err := l.lockAll(ctx, routing.Source, group, member, queues)
	if err != nil {
		return err
	}
	_, err = l.lockAll(ctx, routing.Target, group, member, held)
	return err
}

// lockAll asks the brokers of a side for the locks of queues, and returns those that the member has
// now.
func (l Lanes) lockAll(
	ctx context.Context, on routing.Side, group, member string, queues []*routing.Queue,
) (held []*routing.Queue, err error) {
	byBroker, of := map[string][]rocketmq.MessageQueue{}, map[rocketmq.MessageQueue]*routing.Queue{}
	for _, q := range queues {
		is, err := q.On(on)
		if err != nil {
			return nil, err
		}
		mq := rocketmq.MessageQueue{Topic: q.Topic, Broker: is.Broker, Queue: is.ID}
		if of[mq] == nil {
			byBroker[mq.Broker] = append(byBroker[mq.Broker], mq)
		}
		of[mq] = q
	}
	for _, name := range routing.SortedKeys(byBroker) {
		broker, err := l.Clusters[on].Broker(ctx, name)
		if err != nil {
			return nil, err
		}
		c := l.Clusters[on].Client()
		locked, err := c.LockQueues(ctx, broker.Addr, group, member, byBroker[name])
		if err != nil {
			return nil, fmt.Errorf("%s broker %s: %w", on, name, err)
		}
		for _, mq := range locked {
			if q := of[mq]; q != nil {
				held = append(held, q)
			}
		}
	}
	return held, nil
}

// KnownTime bounds how long the target may take to list a member that the source lists: a heartbeat
// goes to both.
const KnownTime = 3 * time.Second

// introducePause is between two introductions of the same members: brokers take some milliseconds
// for one.
const introducePause = 500 * time.Millisecond

// answerTime bounds how long a member may take to say what it holds.
const answerTime = 5 * time.Second
