package bodies

import (
	"hash/maphash"
	"slices"

	"rocketshift/internal/rocketmq"
)

// Subscriptions are what a heartbeat subscribes to, sorted: a number for each group and topic, as a
// client may have 10,000 of both and each pull looks.
type Subscriptions []uint64

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
func (all *Subscriptions) subscribe(group string, topics []Subscription) {
	*all = append(*all, subscriptionOf([]byte(group), []byte(rocketmq.RetryTopic(group))))
	for _, one := range topics {
		*all = append(*all, subscriptionOf([]byte(group), []byte(one.Topic)))
	}
}

// Has reports whether a group subscribes to a topic.
func (all Subscriptions) Has(group, topic []byte) bool {
	_, found := slices.BinarySearch(all, subscriptionOf(group, topic))
	return found
}
