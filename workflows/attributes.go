package workflows

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"rocketshift/api"
)

// short lists the first names and counts the rest: details stay readable with thousands of topics.
func short(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// shortened is short as a list, which may be empty.
func shortened(names api.Names) []string {
	if names.IsZero() {
		return nil
	}
	return []string{api.Short(names)}
}

// attributeBytes is what databases of Temporal's visibility take of a keyword.
const attributeBytes = 255

// keyword shortens the value of a search attribute to what fits, between two characters.
func keyword(value string) string {
	for len(value) > attributeBytes {
		_, size := utf8.DecodeLastRuneInString(value)
		value = value[:len(value)-size]
	}
	return value
}

// waitingValue is the search attribute: kind and gate of the first entry, so that a saved view
// finds "waiting for me".
func waitingValue(s api.Status) string {
	if len(s.Waiting) == 0 {
		return "nobody"
	}
	return strings.TrimSuffix(s.Waiting[0].Kind+":"+s.Waiting[0].Gate, ":")
}

func targetValue(s api.Status) string {
	if s.Target == nil {
		return "none"
	}
	return s.Target.Provider + ":" + s.Target.Name
}
