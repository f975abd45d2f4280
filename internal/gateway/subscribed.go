package gateway

import (
	"hash/maphash"
	"slices"

	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq"
)

// What a pull asks for tells where a group is, before a broker has answered and where none answers
// any more. It counts from members only: a broker of the source has taken a heartbeat of the same
// connection that names the group and the topic, and brokers look at the rights to both
// (PlainAccessResource.parse, 4.9.7). What others ask for counts when a broker has answered it.

// subscriptions are what a heartbeat subscribes to, sorted: a number for each group and topic, as a
// client may have 10,000 of both and each pull looks.
type subscriptions []uint64

// ofNames makes the numbers. It is another one in each process, so that no client can choose names
// that have the number of others.
var ofNames = maphash.MakeSeed()

// perSubscription is what one takes that is kept, in bytes.
const perSubscription = 8

func subscriptionOf(group, topic []byte) uint64 {
	const odd = 0x9e3779b97f4a7c15 // any odd number: group and topic must not be the same the other way round
	return maphash.Bytes(ofNames, group)*odd + maphash.Bytes(ofNames, topic)
}

// subscribe takes over what a group subscribes to. Its retry topic is the group's own.
func (all *subscriptions) subscribe(group string, topics []subscription) {
	*all = append(*all, subscriptionOf([]byte(group), []byte(rocketmq.RetryTopic(group))))
	for _, one := range topics {
		*all = append(*all, subscriptionOf([]byte(group), []byte(one.Topic)))
	}
}

func (all subscriptions) has(group, topic []byte) bool {
	_, found := slices.BinarySearch(all, subscriptionOf(group, topic))
	return found
}

// ofMember reports whether a pull comes from a member that a broker has taken, under the same
// access key, which was verified where there are keys.
func (s *session) ofMember(f *wire.Frame) bool {
	accessKey := f.Get(wire.FieldAccessKey)
	if _, known := s.keys.of(accessKey); s.keys.given() && !known {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return string(f.Text(wire.FieldAccessKey)) == s.accessKey &&
		s.subscriptions.has(f.Text("consumerGroup"), f.Text("topic"))
}
