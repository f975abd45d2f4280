package lists

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/api"
)

// Short lists the first names and counts the rest: details stay readable with thousands of topics.
func Short(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// Shortened is short as a list, which may be empty.
func Shortened(names api.Names) []string {
	if names.IsZero() {
		return nil
	}
	return []string{api.Short(names)}
}

// OrNone names all.
func OrNone(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	return strings.Join(names, ", ")
}

// Without are the names that aren't among some.
func Without(names, some []string) []string {
	return slices.DeleteFunc(slices.Clone(names),
		func(name string) bool { return slices.Contains(some, name) })
}

// Among are the names said that are wanted.
func Among(said, wanted []string) []string {
	return slices.DeleteFunc(slices.Clone(said), func(name string) bool { return !slices.Contains(wanted, name) })
}
