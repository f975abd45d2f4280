package replicator

import (
	"time"

	"rocketshift/internal/rocketmq"
)

// lookPause is the time between looks for a message that was just stored: brokers show it about a millisecond later.
const lookPause = time.Millisecond

// showTime is far longer than brokers need to show what they have stored, milliseconds even when they are busy.
const showTime = 3 * time.Second

// alone reports whether messages of the topic are sent one by one.
func alone(topic string) bool {
	_, retry := rocketmq.RetryGroup(topic)
	return retry
}
