package rights

import (
	"fmt"
	"net/netip"
	"slices"
)

// Asked is what both sides are asked about each user.
type Asked struct {
	Topics, Groups []string // by their names on the source
	Names          Names
	From           netip.Addr // the address that asks; the zero one is on no list
	Rules          Rules
}

// Difference is a question that the two sides answer differently.
type Difference struct {
	User     string   `json:"user"`
	Resource Resource `json:"resource"` // by its name on the source
	Action   Action   `json:"action"`
	Source   bool     `json:"allowedOnSource"`
	Target   bool     `json:"allowedOnTarget"`
}

func (d Difference) String() string {
	says := map[bool]string{true: "allows", false: "refuses"}
	return fmt.Sprintf("user %s, %s %s, %s: the source %s it, the target %s it",
		d.User, d.Resource.Kind, d.Resource.Name, d.Action, says[d.Source], says[d.Target])
}

// Comparison is the answers of both sides.
type Comparison struct {
	Questions   int          `json:"questions"`
	Differing   int          `json:"differing"`
	Differences []Difference `json:"differences,omitempty"` // the first of them
	Missing     []string     `json:"missing,omitempty"`     // users that the target doesn't have
}

// Same reports whether all answers are.
func (c Comparison) Same() bool { return c.Differing == 0 && len(c.Missing) == 0 }

// mostDifferences are listed; the rest is counted.
const mostDifferences = 100

// anyOther stands for each topic and group that has no own right and isn't asked about.
const anyOther = "any-other-name"

// Compare asks what each user of the source may do with each topic and group, both as the source
// decides and as the target does by what it holds.
func Compare(source ACL1, target []User, q Asked) (c Comparison) {
	there := map[string]User{}
	for _, u := range target {
		there[u.Name] = u
	}
	for _, u := range source.Users {
		on, known := there[u.Name]
		if !known {
			c.Missing = append(c.Missing, u.Name)
			continue
		}
		c.user(u, on, q)
	}
	return c
}

func (c *Comparison) user(source, target User, q Asked) {
	here, there := newIndex(source.Rights), newIndex(target.Rights)
	bySource := func(r Resource) User {
		u := source
		if u.Type != Super || len(u.Rights) == 0 { // an admin's lists count as a whole
			u.Rights = here.about(r)
		}
		return u
	}
	byTarget := func(r Resource) User {
		u := target
		u.Rights = there.about(r)
		return u
	}
	ask := func(r Resource, actions ...Action) {
		on := q.Names.of(r)
		for _, a := range actions {
			question := Question{Resource: r, Actions: []Action{a}, From: q.From}
			d := Difference{User: source.Name, Resource: r, Action: a, Source: Allowed1(bySource(r), question)}
			question.Resource = on
			d.Target = Allowed2(byTarget(on), question, q.Rules)
			c.take(d)
		}
	}
	for _, topic := range names(q.Topics, source.Rights, Topic) {
		ask(TopicNamed(topic), Send, Read, Create, Delete)
	}
	for _, group := range names(q.Groups, source.Rights, Group) {
		ask(GroupNamed(group), Read, Delete)
	}
}

func (c *Comparison) take(d Difference) {
	c.Questions++
	if d.Source == d.Target {
		return
	}
	c.Differing++
	if len(c.Differences) < mostDifferences {
		c.Differences = append(c.Differences, d)
	}
}

// names are those to ask about: the given ones, those with own rights, and one that stands for all
// others. ACL 1.0 asks nobody for the trace topic.
func names(given []string, of []Right, kind Kind) (all []string) {
	seen := map[string]bool{}
	add := func(name string) {
		if !seen[name] {
			seen[name] = true
			all = append(all, name)
		}
	}
	for _, name := range given {
		add(name)
	}
	for _, r := range of {
		if r.Resource.Kind == kind && r.Resource.Pattern == Literal {
			add(r.Resource.Name)
		}
	}
	if kind == Topic {
		add(TraceTopic)
	}
	add(anyOther)
	return all
}

// index finds the rights that may match a resource, in their order, without going through all.
type index struct {
	literal map[Resource][]int
	wide    []int
	all     []Right
}

func newIndex(of []Right) index {
	i := index{literal: map[Resource][]int{}, all: of}
	for at, r := range of {
		if r.Resource.Pattern == Literal {
			i.literal[r.Resource] = append(i.literal[r.Resource], at)
		} else {
			i.wide = append(i.wide, at)
		}
	}
	return i
}

// about are the rights that may match a resource.
func (i index) about(r Resource) (out []Right) {
	for _, at := range slices.Sorted(slices.Values(slices.Concat(i.literal[r], i.wide))) {
		out = append(out, i.all[at])
	}
	return out
}
