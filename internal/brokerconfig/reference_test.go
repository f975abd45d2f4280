package brokerconfig

import (
	"fmt"
	"strings"
	"testing"

	"rocketshift/internal/reference"
)

func TestTheReferenceHasEverySettingOfBrokers(t *testing.T) {
	var compared, notCompared [][]string
	for _, s := range Table {
		compared = append(compared, []string{s.names(), s.must(), s.defaults(), s.Why + s.refusing()})
	}
	for _, l := range leftOut {
		notCompared = append(notCompared, []string{l.why, codes(l.names, " ")})
	}
	reference.Check(t, "compare-settings.md", "settings",
		reference.Table([]string{"setting", "the target's must be", "servers' own value", "else"}, compared))
	reference.Check(t, "compare-settings.md", "left out",
		reference.Table([]string{"not compared, as it says", "settings"}, notCompared))
}

// codes are names as code.
func codes(names []string, between string) string {
	return "`" + strings.Join(names, "`"+between+"`") + "`"
}

func (s Setting) names() string {
	return codes(append([]string{s.Name}, s.Also...), ", ")
}

func (s Setting) must() string {
	if s.Order == nil {
		return string(s.Rule)
	}
	return fmt.Sprintf("%s, of %s", s.Rule, strings.Join(s.Order, " < "))
}

func (s Setting) defaults() string {
	var all []string
	for i, d := range s.Defaults {
		value := d.Value
		switch {
		case i == 0 && value == "" && len(s.Defaults) > 1:
			continue
		case value == "" && i > 0:
			value = "none"
		case value == "":
			value = "empty"
		default:
			value = "`" + value + "`"
		}
		if i > 0 {
			value += " from " + d.From
		}
		all = append(all, value)
	}
	return strings.Join(all, ", ")
}

func (s Setting) refusing() string {
	switch s.Refuses {
	case Nobody:
		return ""
	case Everybody:
		return ". **Refused**"
	default:
		return fmt.Sprintf(". **Refused** for %s, unless it is %s", s.Refuses, s.Needs)
	}
}
