package script

import (
	"fmt"
	"strconv"
	"strings"

	"rocketshift/internal/metadata"
)

func (l *lines) group(g metadata.Group) {
	if !l.sayable(g.Name, "groups") {
		return
	}
	words := append([]string{"-g", quote(g.Name)}, l.settings(g)...)
	brokers := g.Brokers
	if len(brokers) == 0 {
		brokers = l.brokers
	}
	for _, broker := range brokers {
		l.run(append([]string{"updateSubGroup", l.at(broker)}, words...)...)
	}
	if len(brokers) == 0 {
		l.run(append([]string{"updateSubGroup", `-c "$cluster"`}, words...)...)
	}
}

// settings are a group's flags. What mqadmin isn't told it sets to values of its own, so what nobody
// knows is told as brokers make groups by themselves.
func (l *lines) settings(g metadata.Group) []string {
	d := defaulted{name: g.Name, gaps: &l.gaps}
	words := []string{
		"-s", known(&d, g.Consume, true), "-m", known(&d, g.FromMin, true), "-d", known(&d, g.Broadcast, true),
		"-q", known(&d, g.Retry.Queues, 1), "-r", known(&d, g.Retry.MaxTimes, 16), "-i", known(&d, g.BrokerID, 0),
		"-w", known(&d, g.SlowBroker, 1), "-a", known(&d, g.Notify, true),
	}
	if g.Orderly != nil && *g.Orderly { // a flag that only 5.x knows; false is its default
		words = append(words, "-o", "true")
	}
	if p := l.policy(g); p != "" {
		words = append(words, "-p", quote(p))
	}
	if a := attributes(g.Attributes, ""); a != "" {
		words = append(words, "--attributes", quote(a))
	}
	const standard = 15 // minutes, of every group of 5.x
	l.lost(g, "consume time-out of groups", g.TimeoutMinutes != nil && *g.TimeoutMinutes != standard)
	l.lost(g, "system flag of groups", g.SysFlag != nil && *g.SysFlag != 0)
	l.lost(g, "dead-letter topic of groups", g.Retry.DeadLetterTopic != "")
	if g.Remark != "" || g.Protocol != "" {
		l.gaps.Add("remarks", "brokers keep none", g.Name)
	}
	return words
}

func (l *lines) lost(g metadata.Group, what string, is bool) {
	if is {
		l.gaps.Add(what, "mqadmin has no flag for it", g.Name)
	}
}

// defaulted notes that a setting isn't known.
type defaulted struct {
	name string
	gaps *metadata.Gaps
	told bool
}

func known[T any](d *defaulted, v *T, otherwise T) string {
	if v == nil {
		if !d.told {
			d.told = true
			d.gaps.Add(
				"settings of groups that nobody said",
				"they are written as brokers make groups by themselves",
				d.name,
			)
		}
		return fmt.Sprint(otherwise)
	}
	return fmt.Sprint(*v)
}

// policy is a retry policy in the JSON of 5.x; empty for the default.
func (l *lines) policy(g metadata.Group) string {
	r := g.Retry
	switch r.Policy {
	case metadata.RetryExponential:
		return fmt.Sprintf(`{"type":"EXPONENTIAL","exponentialRetryPolicy":{"initial":%d,"max":%d,"multiplier":%d}}`,
			either(r.Initial, 5000), either(r.Max, 7_200_000), either(r.Multiplier, 2))
	case metadata.RetryFixed:
		l.gaps.Add("fixed retries", "brokers have no such policy: a customized one with that time is written", g.Name)
	case metadata.RetryCustomized:
	default:
		return ""
	}
	var times []string
	for _, t := range r.Milliseconds {
		times = append(times, strconv.FormatInt(t, 10))
	}
	if len(times) == 0 {
		return ""
	}
	return fmt.Sprintf(`{"type":"CUSTOMIZED","customizedRetryPolicy":{"next":[%s]}}`, strings.Join(times, ","))
}

// either is a value, or what brokers take without it (ExponentialRetryPolicy).
func either(v *int64, otherwise int64) int64 {
	if v == nil {
		return otherwise
	}
	return *v
}
