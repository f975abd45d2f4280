package gateway

import (
	"bytes"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/gateway/routing"
	"rocketshift/internal/gateway/wire"
	"rocketshift/internal/rocketmq/remoting"
)

// Brokers take every delay level, and each holds a message back as long as its own configuration
// says. Timers are of 5.x: 4.x brokers deliver such messages at once, and others refuse them where
// timers are switched off or the delay is too long (HookUtils.handleScheduleMessage, 5.3.3).

// mostLevel is the highest level that is told apart: brokers have 18 by themselves.
const mostLevel = 63

// delays is how a send asks to be held back: by a level, which counts before a timer, or for how
// many seconds.
func delays(f *wire.Frame, propertiesKey string, now time.Time) (level uint8, timer int32) {
	raw := f.Get(propertiesKey)
	if bytes.Contains(raw, []byte(remoting.PropDelay)) {
		text, _ := remoting.PropertyValue(f.Text(propertiesKey), remoting.PropDelay)
		if n, err := strconv.Atoi(text); err == nil && n > 0 {
			return uint8(min(n, mostLevel)), 0
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

// delaying is what a broker does with delays, by its configuration.
type delaying struct {
	levels   []int64 // seconds of each level; nil if it doesn't say
	list     string  // as it is configured
	noTimers bool
	longest  int64 // seconds of a timer; 0 if it doesn't say
}

func delayingOf(config map[string]string) delaying {
	list := strings.TrimSpace(config["messageDelayLevel"])
	is := delaying{levels: brokerconfig.DelaySeconds(list), list: list, noTimers: config["timerWheelEnable"] == "false"}
	is.longest, _ = strconv.ParseInt(config["timerMaxDelaySec"], 10, 64)
	return is
}

// of is how many seconds a level takes; one that isn't there counts as the last one.
func (d delaying) of(level int) int64 { return d.levels[min(level, len(d.levels))-1] }

// against says which of a topic's delays a broker takes otherwise than the source's does, and the
// line to change; "" if it takes all.
func (d delaying) against(k *routing.SentKinds, here delaying) (cause, line string) {
	switch timer := k.Timer.Load(); {
	case timer > 0 && d.noTimers:
		return "takes no timers, which producers send", "timerWheelEnable=true"
	case d.longest > 0 && timer > d.longest:
		return fmt.Sprintf("takes timers of %d s at most, and producers send %d", d.longest, timer),
			fmt.Sprintf("timerMaxDelaySec=%d", timer)
	}
	used := k.Levels.Load()
	if used == 0 || len(d.levels) == 0 || len(here.levels) == 0 {
		return "", "" // settings that aren't told are findings before anything moves
	}
	for level := 1; level <= mostLevel; level++ {
		if used&(1<<level) != 0 && d.of(level) != here.of(level) {
			return fmt.Sprintf(
				"holds messages of delay level %d back for %d s, the source for %d s, and producers send them",
				level, d.of(level), here.of(level),
			), "messageDelayLevel=" + here.list
		}
	}
	return "", ""
}

// limitsOfSource are those of a broker of the source, as far as it says them.
func (bs *bothSides) limitsOfSource(broker string) limits {
	if all := bs.limitsHere.Load(); all != nil {
		return (*all)[broker]
	}
	return limits{}
}
