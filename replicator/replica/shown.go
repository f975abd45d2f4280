package replica

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"rocketshift/internal/rocketmq"
)

// Clients see only some of a topic's queues. Producers choose among the first writeQueueNums queues
// of each broker that may be written to; consumers share the first readQueueNums queues of each
// broker that may be read. Both order queues by broker name and queue id.
//
// Lanes pair all queues by their place among all, seen or not: what a broker shows may change while
// lanes run, and the pairs must not. So clients of both sides see each lane in the same place if
// each place is shown to the producers of both sides, or of none.

// Share is what a broker has of a topic's queues.
type Share struct {
	Queues   int // that consumers read
	Writable int // how many of them, the first ones, producers choose among
}

// Writable says of each queue of a topic, in client order, whether producers choose among it. topic
// is its settings by broker.
func Writable(topic map[string]rocketmq.TopicConfig) (all []bool) {
	for _, broker := range slices.Sorted(maps.Keys(topic)) {
		config := topic[broker]
		for id := range config.Queues() {
			all = append(all, id < config.Writable())
		}
	}
	return all
}

// Spread shares queues among brokers as evenly as possible, so that producers choose among the same
// places. The first brokers in client order get one more; a broker without a share is left out.
//
// It is false if the brokers are too few. The queues of a broker that producers choose among are
// its first ones, so another broker must begin wherever such a queue comes after one that they
// don't see.
func Spread(writable []bool, brokers []string) (map[string]Share, bool) {
	parts := apart(writable)
	if len(parts) > len(brokers) {
		return nil, false
	}
	has := make([]int, len(parts)) // how many brokers each part gets
	for i := range has {
		has[i] = 1
	}
	for range len(brokers) - len(parts) {
		if most := fullest(parts, has); most >= 0 {
			has[most]++
		}
	}
	shares, left := map[string]Share{}, slices.Sorted(slices.Values(brokers))
	for i, part := range parts {
		for n := has[i]; n > 0; n-- {
			size := (len(part) + n - 1) / n
			shares[left[0]] = Share{size, trues(part[:size])}
			part, left = part[size:], left[1:]
		}
	}
	return shares, true
}

// apart divides queues where a writable one comes after one that isn't.
func apart(writable []bool) (parts [][]bool) {
	for begin, i := 0, 1; i <= len(writable); i++ {
		if i == len(writable) || writable[i] && !writable[i-1] {
			parts, begin = append(parts, writable[begin:i]), i
		}
	}
	return parts
}

// fullest is the part with the most queues for each of its brokers; the first of several; -1 if
// another broker would get no queue of any part.
func fullest(parts [][]bool, has []int) int {
	most := -1
	for i, part := range parts {
		if len(part) > has[i] && (most < 0 || len(part)*has[most] > len(parts[most])*has[i]) {
			most = i
		}
	}
	return most
}

func trues(all []bool) (n int) {
	for _, is := range all {
		if is {
			n++
		}
	}
	return n
}

// Parts is the least number of brokers with which Spread can share the queues of a topic.
func Parts(writable []bool) int { return len(apart(writable)) }

// Laid is what each broker shows if it has that many of the queues. It is false if a broker would
// have to show other queues than its first ones.
func Laid(writable []bool, counts map[string]int) (map[string]Share, bool) {
	shares := map[string]Share{}
	for _, broker := range slices.Sorted(maps.Keys(counts)) {
		n := counts[broker]
		if n > len(writable) || len(apart(writable[:n])) > 1 {
			return nil, false
		}
		shares[broker] = Share{n, trues(writable[:n])}
		writable = writable[n:]
	}
	return shares, len(writable) == 0
}

// Hidden says which queues of a topic producers don't see; empty if they see all.
func Hidden(topic map[string]rocketmq.TopicConfig) string {
	var parts []string
	for _, broker := range slices.Sorted(maps.Keys(topic)) {
		config := topic[broker]
		shown := fmt.Sprint(config.Writable())
		switch {
		case config.Writable() == config.Queues():
			continue
		case config.Writable() == 0:
			shown = "none"
		}
		part := fmt.Sprintf("broker %s shows them %s of its %d queues", broker, shown, config.Queues())
		if len(parts) > 0 {
			part = fmt.Sprintf("broker %s %s of its %d", broker, shown, config.Queues())
		}
		if config.Perm&rocketmq.PermWrite == 0 {
			part += fmt.Sprintf(" (permission %d)", config.Perm)
		}
		parts = append(parts, part)
	}
	return strings.Join(parts, ", ")
}

// Unread names a broker on which producers write to queues of the topic that nobody can read, lanes
// included; empty if there is none.
func Unread(topic map[string]rocketmq.TopicConfig) string {
	for _, broker := range slices.Sorted(maps.Keys(topic)) {
		if config := topic[broker]; config.WriteQueues > config.ReadQueues {
			return fmt.Sprintf("broker %s has %d queues to write to and %d to read from",
				broker, config.WriteQueues, config.ReadQueues)
		}
	}
	return ""
}
