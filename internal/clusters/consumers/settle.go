package consumers

import (
	"context"
	"fmt"
	"hash/fnv"
	"time"

	"rocketshift/internal/clusters"
	"rocketshift/internal/clusters/stability"
	"rocketshift/internal/rocketmq"
	"rocketshift/replicator/lane"
)

// Unsettled are the groups whose positions may still move, and why. What members have finished
// is committed for them. Seen is for how long positions have been standing.
func Unsettled(
	ctx context.Context, c *clusters.One, brokers []rocketmq.Broker, groups []string,
	seen stability.Set, settle time.Duration,
) (open []string, err error) {
	states, err := workOf(ctx, c, brokers, groups)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	for _, group := range groups {
		if err := commitFor(ctx, c, clusters.AddressesOf(brokers), group, states[group]); err != nil {
			return nil, err
		}
		stood := seen.Stands(group, states[group].digest, now)
		if reason := states[group].unsettled(stood, settle); reason != "" {
			open = append(open, group+": "+reason)
		}
	}
	return open, nil
}

// work is what the members of a group have in work, and a digest of its committed positions.
type work struct {
	silent int    // members that don't say what they hold, and queues that no member speaks for
	held   int    // messages that members hold
	worst  string // the queue with the most of them
	behind string // a queue whose member knows a position that isn't committed
	due    []Move // positions that members have finished and not committed
	digest int64
}

// commitFor commits what members have finished, once all of them say that they hold nothing. They
// will commit the same.
func commitFor(ctx context.Context, c *clusters.One, addr map[string]string, group string, w work) error {
	if w.held > 0 || w.silent > 0 {
		return nil
	}
	for _, finished := range w.due {
		if err := writePosition(ctx, c, addr, group, finished); err != nil {
			return err
		}
	}
	return nil
}

// unsettled says why the group's positions may still move; empty if they won't. Stood is for how
// long they haven't.
func (w work) unsettled(stood, settle time.Duration) string {
	switch {
	case w.held > 0:
		return fmt.Sprintf("members hold %d messages, most in %s", w.held, w.worst)
	case w.silent == 0 && w.behind == "" && stood >= FenceMargin:
		return ""
	case stood >= settle:
		return ""
	case w.behind != "":
		return "not committed yet: " + w.behind
	}
	return fmt.Sprintf("positions have been standing for %s, wanted are %s", stood.Round(stability.RoundTo), settle)
}

// workOf asks every member of the groups what it holds, and reads what is committed.
func workOf(ctx context.Context, c *clusters.One, brokers []rocketmq.Broker, groups []string) (map[string]work, error) {
	members, err := c.MembersOf(ctx, brokers, groups)
	if err != nil {
		return nil, err
	}
	// Asked before the positions are read: what a member commits in between shows as settled, what
	// it takes can't, as the group is closed.
	infos := map[string][]rocketmq.RunningInfo{}
	all := map[string]work{}
	for _, group := range groups {
		w := work{}
		for _, id := range clusters.SortedKeys(members[group].Members) {
			info, err := c.Client().ConsumerRunningInfo(ctx, members[group].Members[id].Broker, group, id)
			if err != nil {
				w.silent++
				continue
			}
			infos[group] = append(infos[group], info)
		}
		if len(members[group].Members) == 0 {
			w.silent++
		}
		all[group] = w
	}
	committed, err := c.Positions(ctx, brokers)
	if err != nil {
		return nil, err
	}
	for _, group := range groups {
		all[group] = all[group].judge(infos[group], committed[group], members[group].Topics)
	}
	return all, nil
}

// judge adds what the members say to what is committed. A position of a subscribed topic that no
// member answers for counts as a silent member: an account that leaves queues out proves nothing
// about them.
func (w work) judge(infos []rocketmq.RunningInfo, committed clusters.Committed, subscribed map[string]bool) work {
	w.digest = digestOf(committed)
	w.silent += unaccounted(infos, committed, subscribed)
	most := 0
	for _, info := range infos {
		for _, q := range info.Queues {
			name := fmt.Sprintf("%s %s/%d", q.Topic, q.Broker, q.Queue)
			held := q.CachedCount + q.InWork
			w.held += held
			if held > most {
				most, w.worst = held, name
			}
			at, known := committed[q.Topic][lane.Queue{Broker: q.Broker, ID: q.Queue}]
			if q.Dropped || q.CommitOffset <= 0 && !known || known && at == q.CommitOffset {
				continue
			}
			w.behind = fmt.Sprintf("%s, its member is at %d, the broker at %d", name, q.CommitOffset, at)
			if q.CommitOffset > at {
				w.due = append(w.due,
					Move{topic: q.Topic, queue: lane.Queue{Broker: q.Broker, ID: q.Queue}, offset: q.CommitOffset})
			}
		}
	}
	return w
}

// unaccounted counts the committed queues of subscribed topics that are in no member's account.
func unaccounted(infos []rocketmq.RunningInfo, committed clusters.Committed, subscribed map[string]bool) int {
	told := map[string]map[lane.Queue]bool{}
	for _, info := range infos {
		for _, q := range info.Queues {
			if told[q.Topic] == nil {
				told[q.Topic] = map[lane.Queue]bool{}
			}
			told[q.Topic][lane.Queue{Broker: q.Broker, ID: q.Queue}] = !q.Dropped
		}
	}
	missing := 0
	for _, topic := range clusters.SortedKeys(committed) {
		for _, queue := range clusters.SortedQueues(committed[topic]) {
			if subscribed[topic] && !told[topic][queue] {
				missing++
			}
		}
	}
	return missing
}

// digestOf changes when any position does.
func digestOf(p clusters.Committed) int64 {
	h := fnv.New64a()
	for _, topic := range clusters.SortedKeys(p) {
		for _, queue := range clusters.SortedQueues(p[topic]) {
			fmt.Fprintf(h, "%s %s %d %d\n", topic, queue.Broker, queue.ID, p[topic][queue])
		}
	}
	return int64(h.Sum64())
}
