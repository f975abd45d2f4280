package gateway

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/gateway/replicas"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// Brokers take every delay level, and each holds a message back as long as its own configuration
// says. Timers are of 5.x: 4.x brokers deliver such messages at once, and others refuse them where
// timers are switched off or the delay is too long (HookUtils.handleScheduleMessage, 5.3.3).

// delays is how a send asks to be held back: by a level, which counts before a timer, or for how
// many seconds.
func delays(f *wire.Frame, propertiesKey string, now time.Time) (level uint8, timer int32) {
	raw := f.Get(propertiesKey)
	if bytes.Contains(raw, []byte(remoting.PropDelay)) {
		text, _ := remoting.PropertyValue(f.Text(propertiesKey), remoting.PropDelay)
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return uint8(min(n, replicas.MostLevel)), 0
		}
	}
	if !bytes.Contains(raw, []byte("TIMER_")) {
		return 0, 0
	}
	value := func(name string) (n int64, is bool) {
		text, there := remoting.PropertyValue(f.Text(propertiesKey), name)
		n, err := strconv.ParseInt(text, 10, 64)
		return n, there && err == nil
	}
	var seconds int64
	if n, is := value(remoting.PropTimerDelaySec); is {
		seconds = n
	} else if n, is := value(remoting.PropTimerDelayMs); is {
		seconds = n / 1000
	} else if n, is := value(remoting.PropTimerDeliver); is {
		seconds = (n - now.UnixMilli()) / 1000
	} else {
		return 0, 0
	}
	return 0, int32(min(max(seconds, 1), math.MaxInt32)) // one that is over is a timer, too
}

// transacts reports whether a message is the first half of a transaction (SendMessageProcessor
// reads the property, 4.5.2 to 5.3.3).
func transacts(f *wire.Frame, propertiesKey string) bool {
	if !bytes.Contains(f.Get(propertiesKey), []byte(remoting.PropTranMsg)) {
		return false
	}
	is, _ := remoting.PropertyValue(f.Text(propertiesKey), remoting.PropTranMsg)
	return strings.EqualFold(is, "true")
}
