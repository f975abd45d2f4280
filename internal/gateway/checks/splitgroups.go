package checks

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"rocketshift/internal/gateway/bodies"
	"rocketshift/internal/gateway/control"
	"rocketshift/internal/gateway/logs"
	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/sleep"
)

const (
	mixedPause = 10 * time.Second
	// mixedLooks is how many looks in a row must see the same: members that take queues over from
	// each other do so within 20 s.
	mixedLooks = 4
)

// splitGroups is what was seen of groups with members on both ways.
type splitGroups struct {
	mu     sync.Mutex
	groups map[string]*sharing
	said   logs.Each[string] // by group
}

// sharing is how members of one group share its queues; counts are of looks in a row.
type sharing struct {
	control.MixedGroup
	holders           map[*routing.Queue][]string
	contested, unread map[*routing.Queue]int
}

// Report is what was so for so long that it won't pass by itself.
func (m *splitGroups) Report() (all []control.MixedGroup) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, name := range routing.SortedKeys(m.groups) {
		all = append(all, m.groups[name].Short())
	}
	return all
}

// WatchMixed looks how members share queues.
func (ck *Checks) WatchMixed(ctx context.Context) {
	for sleep.For(ctx, mixedPause) == nil {
		if l, err := ck.sides.Lanes(); err == nil {
			ck.lookAtMixed(ctx, l)
		}
	}
}

func (ck *Checks) lookAtMixed(ctx context.Context, l replicas.Lanes) {
	var all errgroup.Group
	all.SetLimit(replicas.AskedTogether)
	var mu sync.Mutex
	seen := map[string]*sharing{}
	now, rest := inTurn(ck.host.GroupsByAddress(), MostMixed)
	for _, name := range now {
		all.Go(func() error {
			now, err := ck.lookAtMembers(ctx, name, l)
			mu.Lock()
			defer mu.Unlock()
			if err != nil && ck.said.Due(name) {
				ck.log.Warn("how members share queues can't be seen", "group", name, "cause", err)
			}
			if err == nil && now != nil {
				seen[name] = now
			}
			return nil
		})
	}
	_ = all.Wait()
	ck.Split.Take(seen, ck.log, rest...)
}

// MostMixed is how many groups are looked at each time: brokers are asked for the members of each,
// by this gateway's own account.
const MostMixed = 200

// inTurn are so many names at most that have their turn, and the others: of each address as many,
// as heartbeats name groups without end. Where there are too many, chance says which.
func inTurn(byAddress map[netip.Prefix][]string, most int) (now, rest []string) {
	taken := map[string]bool{}
	for of, names := range byAddress { // in an order of its own each time
		slices.Sort(names)
		names = slices.Compact(names)
		share := min(max(1, most/len(byAddress)), len(names))
		begin := 0
		if share < len(names) {
			begin = rand.IntN(len(names))
		}
		byAddress[of] = names
		for i := 0; i < share && len(taken) < most; i++ {
			taken[names[(begin+i)%len(names)]] = true
		}
	}
	others := map[string]bool{}
	for _, names := range byAddress {
		for _, name := range names {
			if !taken[name] {
				others[name] = true
			}
		}
	}
	return routing.SortedKeys(taken), routing.SortedKeys(others)
}

// Take takes a look's results over, and says what is wrong. What was known of the rest, which
// wasn't looked at, stays.
func (m *splitGroups) Take(seen map[string]*sharing, log *slog.Logger, rest ...string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, now := range seen {
		now.since(m.groups[name])
		if len(now.Contested)+len(now.Unread) > 0 && m.said.Due(name) {
			short := now.Short()
			log.Warn("members behind the gateway and past it share queues wrongly", "group", name, "past",
				short.Past, "contested", short.Contested, "unread", short.Unread)
		}
	}
	for _, name := range rest {
		if was := m.groups[name]; was != nil && seen[name] == nil {
			seen[name] = was
		}
	}
	m.groups = seen
}

// lookAtMembers asks all members of a group what they hold, if some are past the gateway.
func (ck *Checks) lookAtMembers(ctx context.Context, group string, l replicas.Lanes) (*sharing, error) {
	on := ck.table.AuthorityOf([]byte(group))
	members, model, err := l.MembersOn(ctx, group, on)
	if err != nil || model == bodies.Broadcasting {
		return nil, err
	}
	here, err := ck.BehindAll(ctx, group)
	if err != nil {
		return nil, err
	}
	now := &sharing{
		MixedGroup: control.MixedGroup{Group: group, Past: Past(members, here)},
		holders:    map[*routing.Queue][]string{},
		contested:  map[*routing.Queue]int{},
		unread:     map[*routing.Queue]int{},
	}
	if len(now.Past) == 0 || len(now.Past) == len(members) {
		return nil, nil
	}
	for _, id := range routing.SortedKeys(members) {
		behind := here.IDs[id]
		info, err := l.Ask(ctx, on, members[id], group, id)
		if err != nil {
			now.Problem = fmt.Sprintf("%s at %s doesn't say what it reads: %v", id, members[id].At, err)
		}
		for _, one := range info.Queues {
			if q := ck.table.HeldQueue(one, behind || on == routing.Source); q != nil && !one.Dropped {
				now.holders[q] = append(now.holders[q], id)
			}
		}
	}
	now.count(ck.table)
	return now, nil
}

// count finds the queues that several members hold, and those that none does although the group
// reads their topic.
func (n *sharing) count(table *routing.Table) {
	topics := map[string]bool{}
	for q, members := range n.holders {
		topics[q.Topic] = true
		if len(members) > 1 {
			n.contested[q] = 1
		}
	}
	if n.Problem != "" {
		return
	}
	for topic := range topics {
		for _, q := range table.Topics.Get([]byte(topic)).All() {
			if q.Lane() != nil && len(n.holders[q]) == 0 {
				n.unread[q] = 1
			}
		}
	}
}

// since counts the looks before, and says what was so in enough of them.
func (n *sharing) since(last *sharing) {
	if last != nil {
		for q := range n.contested {
			n.contested[q] += last.contested[q]
		}
		for q := range n.unread {
			n.unread[q] += last.unread[q]
		}
	}
	for _, q := range lasting(n.contested) {
		n.Contested = append(n.Contested, control.HeldQueue{TopicQueue: q.Name(), Members: n.holders[q]})
	}
	for _, q := range lasting(n.unread) {
		n.Unread = append(n.Unread, q.Name())
	}
}

// lasting are the queues that were counted in enough looks in a row, sorted.
func lasting(counts map[*routing.Queue]int) (all []*routing.Queue) {
	for q, looks := range counts {
		if looks >= mixedLooks {
			all = append(all, q)
		}
	}
	slices.SortFunc(all, func(a, b *routing.Queue) int {
		return cmp.Or(cmp.Compare(a.Topic, b.Topic), cmp.Compare(a.Broker, b.Broker), cmp.Compare(a.ID, b.ID))
	})
	return all
}
