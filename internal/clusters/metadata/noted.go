package metadata

import (
	"fmt"
	"strconv"
	"time"

	"rocketshift/internal/rocketmq/remoting"
	"rocketshift/plan"
)

// Noted is what sampled messages show beside their topic's type, each with one of them as an example:
// its queue, its offset and its id, never its body.
type Noted struct {
	Counts   map[plan.MessageType]int
	Examples map[plan.MessageType]string
	// GoKeys are messages with client-go's sharding key alone, which 5.x proxies don't know.
	GoKeys        int
	GoKey         string // an example
	Empty         string // an example
	MostProps     int    // stored bytes of the longest properties
	LongestProps  string // an example
	Levels        map[int]int
	LongestTimer  time.Duration // from a message's birth to when it was due
	LongestTimed  string        // an example
	TimedMessages int
}

func newNoted() Noted {
	return Noted{
		Counts: map[plan.MessageType]int{}, Examples: map[plan.MessageType]string{}, Levels: map[int]int{},
	}
}

// longestID bounds what is shown of a message's id, as producers may choose it.
const longestID = 40

func (n *Noted) add(broker string, m remoting.Message) {
	properties := remoting.PropertyMap(m.Properties)
	kind := kindOf(m.Properties)
	example := fmt.Sprintf("queue %s/%d offset %d", broker, m.Queue, m.QueueOffset)
	if id := properties[remoting.PropUniqKey]; id != "" {
		example += fmt.Sprintf(", id %.*s", longestID, id)
	}
	n.Counts[kind]++
	if n.Examples[kind] == "" {
		n.Examples[kind] = example
	}
	if properties[remoting.PropShardingKeyGo] != "" && properties[remoting.PropShardingKey] == "" {
		n.GoKeys++
		n.GoKey = example
	}
	if len(m.Body) == 0 {
		n.Empty = example
	}
	if len(m.Properties) > n.MostProps {
		n.MostProps, n.LongestProps = len(m.Properties), example
	}
	if level, err := strconv.Atoi(properties[remoting.PropDelay]); err == nil {
		n.Levels[level]++
	}
	if late, is := timer(properties, m.BornTimestamp); is {
		n.TimedMessages++
		if late > n.LongestTimer {
			n.LongestTimer, n.LongestTimed = late, example
		}
	}
}

// timer is how long after its birth a message was due that has its own time. ONS clients write
// __STARTDELIVERTIME, 5.x clients the others.
func timer(properties map[string]string, born int64) (time.Duration, bool) {
	for _, name := range []string{remoting.PropTimerDeliver, propStartDeliver} {
		if at, err := strconv.ParseInt(properties[name], 10, 64); err == nil {
			return time.UnixMilli(at).Sub(time.UnixMilli(born)), true
		}
	}
	if n, err := strconv.ParseInt(properties[remoting.PropTimerDelaySec], 10, 32); err == nil {
		return time.Duration(n) * time.Second, true
	}
	if n, err := strconv.ParseInt(properties[remoting.PropTimerDelayMs], 10, 64); err == nil && n < 1<<40 {
		return time.Duration(n) * time.Millisecond, true
	}
	return 0, false
}

// propStartDeliver is when ONS delivers a message (Message.SystemPropKey of the ONS SDK).
const propStartDeliver = "__STARTDELIVERTIME"
