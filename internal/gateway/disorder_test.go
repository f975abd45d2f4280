package gateway

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"

	"rocketshift/internal/rocketmq"
	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/replicator/replica"
)

// byKey selects a queue by the key from the queues in client order. client-go v2.1.2 lists them in
// the order in which the name server lists the brokers, but first in the reverse order, until it
// has made the list a second time (routeData2PublishInfo reverses the route that it is given): a
// key's first message can go to another queue than those after it, with a stock broker as with the
// gateway.
type byKey struct{ hash producer.QueueSelector }

// Select implements producer.QueueSelector.
func (s byKey) Select(
	m *primitive.Message,
	queues []*primitive.MessageQueue,
	lastBroker string,
) *primitive.MessageQueue {
	return s.hash.Select(m, slices.SortedFunc(slices.Values(queues), func(a, b *primitive.MessageQueue) int {
		return cmp.Or(cmp.Compare(a.BrokerName, b.BrokerName), cmp.Compare(a.QueueId, b.QueueId))
	}), lastBroker)
}

// disorder is a message that a group got after a later one of the same key.
type disorder struct {
	group      string
	got, after message
	how        string
}

// disorders are the messages of a load that the group got out of order.
func (rs *readers) disorders(l *load) (all []disorder) {
	l.mu.Lock()
	defer l.mu.Unlock()
	rs.mu.Lock()
	defer rs.mu.Unlock()
	for _, key := range slices.Sorted(maps.Keys(l.acked)) {
		for _, one := range late(rs.seen[key]) {
			got, after := message{key, one[0]}, message{key, one[1]}
			how := fmt.Sprintf("%s: %s\n%s: %s", after, rs.got[after].any(), got, rs.got[got].any())
			all = append(all, disorder{rs.group, got, after, how})
		}
	}
	return all
}

// late are the numbers that came after a later one, each with the latest of those. What comes again
// is a repeat.
func late(seen []int) (all [][2]int) {
	known, last := map[int]bool{}, -1
	for _, n := range seen {
		if n < last && !known[n] {
			all = append(all, [2]int{n, last})
		}
		known[n] = true
		last = max(last, n)
	}
	return all
}

// mostDisorders is how many are told.
const mostDisorders = 3

// tellDisorders says of messages that groups got out of order how they came, and where each side
// keeps them and those that were sent before and after them. Where the brokers themselves keep them
// in that order, or in two queues, the groups only show it.
func (r *rig) tellDisorders(topic string, all []disorder) {
	r.Helper()
	if len(all) == 0 {
		return
	}
	wanted := map[string]bool{}
	for _, d := range all[:min(len(all), mostDisorders)] {
		r.Logf("group %s got %s after %s:\n%s", d.group, d.got, d.after, d.how)
		for _, n := range []int{d.got.number - 1, d.got.number, d.got.number + 1, d.after.number} {
			wanted[message{d.got.key, n}.String()] = true
		}
	}
	r.Logf("of these, the source keeps:\n%s", strings.Join(r.kept(r.source, topic, wanted), "\n"))
	r.Logf("of these, the target keeps:\n%s", strings.Join(r.kept(r.target, topic, wanted), "\n"))
}

// kept says where a cluster keeps messages with these names, or why that can't be told.
func (r *rig) kept(c *rocketmq.Cluster, topic string, names map[string]bool) (all []string) {
	r.Helper()
	for _, b := range r.brokers(c) {
		messages, err := r.messages(c, b, topic)
		if err != nil { // such as that a topic is on one side only
			all = append(all, err.Error())
		}
		for _, m := range messages {
			if words := strings.SplitN(string(m.Body), " ", 3); len(words) < 2 || !names[words[0]+" "+words[1]] {
				continue
			}
			says := fmt.Sprintf("%q: queue %s/%d offset %d, sent %s, stored %s at %s %x", m.Body, b.Name,
				m.Queue, m.QueueOffset, clock(m.BornTimestamp), clock(m.StoreTimestamp), m.StoreHost,
				m.PhysicalOffset)
			properties := remoting.PropertyMap(m.Properties)
			for _, name := range []string{remoting.PropUniqKey, replica.StampProperty} {
				if value, has := properties[name]; has {
					says += ", " + name + " " + value
				}
			}
			all = append(all, says)
		}
	}
	slices.Sort(all)
	return all
}

// clock is a broker's or client's time, in milliseconds since 1970, as deliveries have theirs.
func clock(ms int64) string { return time.UnixMilli(ms).UTC().Format("15:04:05.000") }
