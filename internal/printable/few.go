package printable

import (
	"fmt"
	"strings"
)

// First are the first of some sentences, which are read by people.
func First(all []string, most int) string {
	text := strings.Join(all[:min(most, len(all))], "; ")
	if len(all) > most {
		text += fmt.Sprintf("; and %d more", len(all)-most)
	}
	return text
}

// Few names the first few of many.
func Few(names []string) string {
	const few = 5
	if len(names) <= few {
		return fmt.Sprint(names)
	}
	return fmt.Sprintf("%v and %d more", names[:few], len(names)-few)
}
