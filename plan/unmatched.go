package plan

import (
	"fmt"
	"maps"
	"slices"
)

// Unmatched lists what the plan names and the source doesn't have. A name that matches nothing is a
// typing error, or the wrong cluster. Globs of only * are not names, and excluded names may be
// missing. Names that clash on the target are listed, too.
func (p Plan) Unmatched(topics, groups []string) []Problem {
	found := &Problems{}
	unmatched(found, "topics.include", "topic", p.Topics.Include, topics)
	unmatched(found, "topics.ordered", "topic", p.Topics.Ordered, topics)
	unmatched(found, "groups.include", "group", p.Groups.Include, groups)
	for _, name := range slices.Sorted(maps.Keys(p.Topics.Types)) {
		if !slices.Contains(topics, name) {
			found.add(join("topics.types", name), "the source has no such topic")
		}
	}
	return append(found.List, p.Target.Clashes(selected(topics, p.Topics.Selection), selected(groups, p.Groups))...)
}

func unmatched(found *Problems, path, kind string, globs, names []string) {
	for i, g := range globs {
		if g != "*" && !slices.ContainsFunc(names, func(name string) bool { return match(g, name) }) {
			found.add(fmt.Sprintf("%s[%d]", path, i), "%s matches no %s of the source", quote(g), kind)
		}
	}
}
