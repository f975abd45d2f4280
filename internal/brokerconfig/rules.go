package brokerconfig

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// normal is what two texts of one value have in common.
func (s Setting) normal(value string) string {
	switch s.Rule {
	case SameTimes:
		return times(value)
	case True, False, Batches:
		return strings.ToLower(value)
	case AtLeast, AtMost, Allows:
		if n, err := strconv.ParseInt(value, 10, 64); err == nil {
			return strconv.FormatInt(n, 10)
		}
	case Same, Kept: // as it is written
	}
	return value
}

// units are those of delay levels (ScheduleMessageService, 4.5.2 to 5.3.3).
var units = map[byte]time.Duration{
	's': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour,
}

// times writes delay levels in one unit; what can't be read stays as it is.
func times(levels string) string {
	var all []string
	for _, level := range strings.Fields(levels) {
		n, err := strconv.ParseInt(level[:len(level)-1], 10, 32)
		unit, known := units[level[len(level)-1]]
		if err != nil || !known {
			return levels
		}
		all = append(all, fmt.Sprint(n*int64(unit/time.Second)))
	}
	return strings.Join(all, " ")
}

// DelaySeconds are the seconds of each delay level, as messageDelayLevel lists them; nil if that
// can't be read.
func DelaySeconds(levels string) (all []int64) {
	for _, one := range strings.Fields(times(levels)) {
		n, err := strconv.ParseInt(one, 10, 64)
		if err != nil {
			return nil
		}
		all = append(all, n)
	}
	return all
}

// holds judges the target's value by the source's. What is no value of the setting isn't judged.
func (s Setting) holds(source, target string) bool {
	switch s.Rule {
	case True:
		return !strings.EqualFold(source, "true") || strings.EqualFold(target, "true")
	case False:
		return strings.EqualFold(source, "true") || !strings.EqualFold(target, "true")
	case Kept:
		return source == "" || source == target
	case AtLeast, AtMost, Allows:
		from, to, ok := s.numbers(source, target)
		switch {
		case !ok:
			return true
		case s.Rule == AtLeast:
			return to >= from
		case s.Rule == AtMost:
			return to <= from
		default:
			return from&^to == 0
		}
	default:
		return s.normal(source) == s.normal(target)
	}
}

// numbers are both values, or their places in Order.
func (s Setting) numbers(a, b string) (x, y int64, ok bool) {
	if s.Order != nil {
		x, y = int64(slices.Index(s.Order, a)), int64(slices.Index(s.Order, b))
		return x, y, x >= 0 && y >= 0
	}
	x, errX := strconv.ParseInt(a, 10, 64)
	y, errY := strconv.ParseInt(b, 10, 64)
	return x, y, errX == nil && errY == nil
}

// meets reports whether the value is what dependents need.
func (s Setting) meets(value string) bool {
	if s.Rule == AtLeast {
		n, err := strconv.ParseInt(value, 10, 64)
		return err == nil && n > 0
	}
	return strings.EqualFold(value, s.Needs)
}

// stricter is the source's value that asks for more, so that one line satisfies all its brokers.
func (s Setting) stricter(a, b told) told {
	if len(a.brokers) == 0 || !s.holds(b.value, a.value) {
		return b
	}
	return a
}
