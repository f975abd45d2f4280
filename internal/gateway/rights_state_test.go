package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
)

// state is everything of an account's topic and group that a request could change, in words.
type state map[string]string

// differs is what of another state, of which less may have been looked at, isn't as it was.
func (s state) differs(now state) string {
	var all []string
	for _, key := range slices.Sorted(maps.Keys(now)) {
		if s[key] != now[key] {
			all = append(all, fmt.Sprintf("%s: %q, was %q", key, now[key], s[key]))
		}
	}
	return strings.Join(all, "; ")
}

// look reads the state from both sides' brokers, as their admins, and from the gateway what it has
// learned.
func (m *matrix) look(p *place, whole bool) state {
	m.Helper()
	s := state{"the gateway's positions": p.odd(m.learned(p)), "the gateway's notes": m.noted(p)}
	_, here := m.gateway.clientsHere()[p.client()]
	s["the gateway's client"] = strconv.FormatBool(here)
	for _, on := range m.sides() {
		client, addr, prefix := m.cluster(on).Client(), m.addr(on), "the "+on.String()+"'s "
		topics := []string{p.topic, rocketmq.RetryTopic(p.group), "%DLQ%" + p.group}
		if whole {
			topics = append(topics, p.topic+made, p.topic+deleted)
			groups, err := client.Groups(m.ctx, addr)
			require.NoError(m, err)
			_, isMade := groups[p.group+made]
			_, isThere := groups[p.group+deleted]
			s[prefix+"groups"] = fmt.Sprint("one made: ", isMade, ", the one to delete: ", isThere)
		}
		for _, topic := range topics {
			ends, err := client.TopicStats(m.ctx, addr, topic)
			if err != nil {
				require.Equal(m, remoting.TopicNotExist, remoting.CodeOf(err), "topic %s: %v", topic, err)
			}
			s[prefix+"topic "+topic] = endsOf(ends, err)
		}
		positions, err := client.AllOffsets(m.ctx, addr)
		require.NoError(m, err)
		own := rocketmq.TopicGroup{Topic: p.topic, Group: p.group}
		s[prefix+"positions"] = p.odd(positions[own])
		s[prefix+"members"] = m.members(p, on)
	}
	return s
}

// endsOf tells where the queues of a topic end.
func endsOf(ends map[int]rocketmq.QueueRange, err error) string {
	if err != nil {
		return "none"
	}
	var text []string
	for _, id := range slices.Sorted(maps.Keys(ends)) {
		text = append(text, fmt.Sprint("queue ", id, " ends at ", ends[id].Max))
	}
	return strings.Join(text, ", ")
}

// members are those of the group and of the producer group on a side.
func (m *matrix) members(p *place, on routing.Side) string {
	m.Helper()
	if on == routing.Target && m.dead {
		return ""
	}
	readers, err := m.cluster(on).Client().ConsumerConnectionsOf(m.ctx, m.addr(on), p.group)
	require.NoError(m, err)
	writers, err := m.cluster(on).Client().Producers(m.ctx, m.addr(on))
	require.NoError(m, err)
	var text []string
	for _, one := range readers.Connections {
		text = append(text, one.ClientID+" reads")
	}
	for _, one := range writers[p.writers()] {
		text = append(text, one.ClientID+" writes")
	}
	return strings.Join(text, ", ")
}

// odd tells positions that no allowed request has made. The others change by themselves, as the
// gateway keeps them on both sides.
func (p *place) odd(positions map[int]int64) string {
	var odd []string
	for _, id := range slices.Sorted(maps.Keys(positions)) {
		if at := positions[id]; at > forbidden-shifts {
			odd = append(odd, fmt.Sprint(at, " on queue ", id))
		}
	}
	return strings.Join(odd, ", ")
}

// learned are the positions that the gateway has noted as taken by brokers.
func (m *matrix) learned(p *place) map[int]int64 {
	all := map[int]int64{}
	for _, v := range m.gateway.table.Groups.Get([]byte(p.group)).All() {
		if kept := v.Progress().Kept; v.Queue.Topic == p.topic && kept >= 0 {
			all[v.Queue.ID] = kept
		}
	}
	return all
}

// position is the group's on queue 0 of a side, as it counts.
func (m *matrix) position(p *place, on routing.Side) int64 {
	m.Helper()
	at, _, err := m.cluster(on).Client().QueryOffset(m.ctx, m.addr(on), p.group, p.topic, 0)
	require.NoError(m, err)
	return at - m.view(p).Standing().Shift[on]
}

func (m *matrix) view(p *place) *routing.View {
	q := m.gateway.table.Topics.Get([]byte(p.topic)).Queue([]byte(p.brokers[routing.Source]), 0)
	return m.gateway.table.Groups.Get([]byte(p.group)).Of(q)
}

// ownersOnly is how locks are after lockForOwner.
func (m *matrix) ownersOnly() string {
	if m.dead {
		return "source: free, locked"
	}
	return "source: free, locked; target: free, locked"
}

// lockForOwner has the owner hold queue 1, and nobody queue 0, on both sides.
func (m *matrix) lockForOwner(p *place) {
	m.Helper()
	for _, on := range m.sides() {
		client, addr := m.cluster(on).Client(), m.addr(on)
		one := []rocketmq.MessageQueue{{Topic: p.topic, Broker: p.brokers[on], Queue: 1}}
		held, err := client.LockQueues(m.ctx, addr, p.group, owner, one)
		require.NoError(m, err)
		require.Len(m, held, 1, "the owner's lock on the %s", on)
		one[0].Queue = 0
		require.NoError(m, client.UnlockQueues(m.ctx, addr, p.group, p.client(), one))
	}
}

// locked tells which of the two queues somebody holds locked on each side.
func (m *matrix) locked(p *place) string {
	m.Helper()
	var text []string
	for _, on := range m.sides() {
		text = append(text, fmt.Sprintf("%s: %s, %s", on, m.lockOf(p, on, 0), m.lockOf(p, on, 1)))
	}
	return strings.Join(text, "; ")
}

func (m *matrix) lockOf(p *place, on routing.Side, queue int) string {
	m.Helper()
	one := []rocketmq.MessageQueue{{Topic: p.topic, Broker: p.brokers[on], Queue: queue}}
	client, addr := m.cluster(on).Client(), m.addr(on)
	held, err := client.LockQueues(m.ctx, addr, p.group, "witness", one)
	require.NoError(m, err)
	if len(held) == 0 {
		return "locked"
	}
	require.NoError(m, client.UnlockQueues(m.ctx, addr, p.group, "witness", one))
	return "free"
}
