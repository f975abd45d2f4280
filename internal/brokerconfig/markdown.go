package brokerconfig

import (
	"fmt"
	"strings"
)

// Markdown is both lists as tables, for docs/reference/compare-settings.md.
func Markdown() string {
	var text strings.Builder
	text.WriteString("| setting | the target's must be | servers' own value | else |\n")
	text.WriteString("|---|---|---|---|\n")
	for _, s := range Table {
		fmt.Fprintf(&text, "| %s | %s | %s | %s%s |\n",
			s.names(), s.must(), s.defaults(), s.Why, s.refusing())
	}
	text.WriteString("\n| not compared, as it says | settings |\n|---|---|\n")
	for _, left := range LeftOut {
		names := make([]string, len(left.Names))
		for i, name := range left.Names {
			names[i] = "`" + name + "`"
		}
		fmt.Fprintf(&text, "| %s | %s |\n", left.Why, strings.Join(names, " "))
	}
	return text.String()
}

func (s Setting) names() string {
	text := "`" + s.Name + "`"
	for _, other := range s.Also {
		text += ", `" + other + "`"
	}
	return text
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
