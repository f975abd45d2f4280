package replicas

import (
	"fmt"
	"strconv"
	"strings"

	"rocketshift/internal/brokerconfig"
	"rocketshift/internal/gateway/routing"
)

// MostLevel is the highest level that is told apart: brokers have 18 by themselves.
const MostLevel = 63

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
	for level := 1; level <= MostLevel; level++ {
		if used&(1<<level) != 0 && d.of(level) != here.of(level) {
			return fmt.Sprintf(
				"holds messages of delay level %d back for %d s, the source for %d s, and producers send them",
				level, d.of(level), here.of(level),
			), "messageDelayLevel=" + here.list
		}
	}
	return "", ""
}
