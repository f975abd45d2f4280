package brokerconfig

import (
	"fmt"
	"strings"

	"rocketshift/internal/rocketmq/remoting"
)

// defaultOf is the servers' own value in a version, and whether it has the setting.
func (s Setting) defaultOf(version string) (value string, there bool) {
	for i, d := range s.Defaults {
		if !remoting.Earlier(version, d.From) {
			value, there = d.Value, d.Value != "" || len(s.Defaults) == 1 && i == 0
		}
	}
	return value, there
}

// byHand says which settings of a target that tells none people have to look at: those that live
// groups and topics need, then those of which the source has another value than its servers by
// themselves.
func byHand(source []Broker, use Uses) string {
	var needed, set []string
	for _, s := range Table {
		if of := use[s.Refuses]; s.Needs != "" && len(of) > 0 {
			needed = append(needed, fmt.Sprintf("%s must be %s for %s", s.Name, s.Needs, few(of)))
			continue
		}
		for _, b := range source {
			value, told := b.Values[s.Name]
			own, known := s.defaultOf(b.Version)
			if told && known && s.normal(strings.TrimSpace(value)) != s.normal(own) {
				set = append(set, fmt.Sprintf("%s is %s on the source", s.Name, show(value)))
				break
			}
		}
	}
	all := append(needed, set...)
	if len(all) == 0 {
		return "the source has the servers' own values of all of them"
	}
	return strings.Join(all, "; ")
}
