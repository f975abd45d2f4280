package replica

import (
	"time"

	"rocketshift/internal/rocketmq"
)

// LookPause is the time between looks for a message that was just stored. Brokers show it about a
// millisecond later.
const LookPause = time.Millisecond

// ShowTime is far longer than brokers need to show what they have stored, milliseconds even when
// they are busy.
const ShowTime = 3 * time.Second

// Alone reports whether lanes of the topic send messages one by one.
func Alone(topic string) bool {
	_, retry := rocketmq.RetryGroup(topic)
	return retry
}
