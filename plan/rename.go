package plan

import (
	"maps"
	"regexp"
	"slices"
)

// ownForm is which names of topics and groups brokers take.
var ownForm = regexp.MustCompile(`^[A-Za-z0-9_-]{1,127}$`)

// Rename says what topics and groups are called on the target, so that several sources can go to
// one. The rest of a plan calls them by their names on the source.
type Rename struct {
	Prefix string            `json:"prefix,omitempty"` // of every name that the maps don't have
	Topics map[string]string `json:"topics,omitempty"` // names on the target by those on the source
	Groups map[string]string `json:"groups,omitempty"`
}

// Topic is what a topic is called on the target.
func (t Target) Topic(name string) string {
	return t.Rename.of(name, func(r *Rename) map[string]string { return r.Topics })
}

// Group is what a group is called on the target.
func (t Target) Group(name string) string {
	return t.Rename.of(name, func(r *Rename) map[string]string { return r.Groups })
}

func (r *Rename) of(name string, names func(*Rename) map[string]string) string {
	if r == nil {
		return name
	}
	if renamed, found := names(r)[name]; found {
		return renamed
	}
	return r.Prefix + name
}

func checkRename(c *Problems, r *Rename) {
	if r == nil {
		return
	}
	if r.Prefix != "" && !ownForm.MatchString(r.Prefix) {
		c.add("target.rename.prefix", "%s; allowed: letters, digits, hyphens and underscores", quote(r.Prefix))
	}
	for path, names := range map[string]map[string]string{"target.rename.topics": r.Topics, "target.rename.groups": r.Groups} {
		by := map[string]string{}
		for _, name := range slices.Sorted(maps.Keys(names)) {
			own := names[name]
			if !ownForm.MatchString(own) {
				c.add(join(path, name), "%s; allowed: 1 to 127 letters, digits, hyphens and underscores", given(own))
			}
			if other, twice := by[own]; twice {
				c.add(join(path, name), "%s is the new name of %s too; each has its own", quote(own), quote(other))
			}
			by[own] = name
		}
	}
}

// Clashes lists topics and groups that would have the same name on the target, and new names for
// what the source doesn't have.
func (t Target) Clashes(topics, groups []string) []Problem {
	if t.Rename == nil {
		return nil
	}
	found := &Problems{}
	clashes(found, "target.rename.topics", "topic", t.Rename.Topics, topics, t.Topic)
	clashes(found, "target.rename.groups", "group", t.Rename.Groups, groups, t.Group)
	return found.List
}

func clashes(found *Problems, path, kind string, renamed map[string]string, names []string, own func(string) string) {
	for _, name := range slices.Sorted(maps.Keys(renamed)) {
		if !slices.Contains(names, name) {
			found.add(join(path, name), "no %s of that name moves", kind)
		}
	}
	by := map[string]string{}
	for _, name := range slices.Sorted(slices.Values(names)) {
		if other, twice := by[own(name)]; twice {
			found.add(path, "%ss %s and %s would both be %s on the target; give one of them another name", kind,
				quote(other), quote(name), quote(own(name)))
		}
		by[own(name)] = name
	}
}

func selected(names []string, by Selection) []string {
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !by.Match(name) })
}
