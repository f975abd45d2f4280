package metadata

import (
	"fmt"
	"slices"
	"strings"
)

// shownExamples is how many objects a gap names.
const shownExamples = 5

// Gap is something that a door couldn't carry, with some of the objects that it is about.
type Gap struct {
	What     string   `json:"what"` // such as "queues of topics"
	Why      string   `json:"why"`
	Objects  int      `json:"objects,omitempty"` // how many; 0 if it is about the whole
	Examples []string `json:"examples,omitempty"`
}

// String is the gap in one line.
func (g Gap) String() string {
	if g.Objects == 0 {
		return g.What + ": " + g.Why
	}
	names := strings.Join(g.Examples, ", ")
	if rest := g.Objects - len(g.Examples); rest > 0 {
		names += fmt.Sprintf(" and %d more", rest)
	}
	return fmt.Sprintf("%s: %s (%s)", g.What, g.Why, names)
}

// Gaps are all gaps of one reading or writing, in the order in which they were found. Their number
// and size don't grow with the cluster.
type Gaps []Gap

// Add notes a gap; of an object, if one is named.
func (g *Gaps) Add(what, why string, objects ...string) {
	at := slices.IndexFunc(*g, func(one Gap) bool { return one.What == what && one.Why == why })
	if at < 0 {
		*g = append(*g, Gap{What: what, Why: why})
		at = len(*g) - 1
	}
	one := &(*g)[at]
	one.Objects += len(objects)
	room := max(0, shownExamples-len(one.Examples))
	one.Examples = append(one.Examples, objects[:min(room, len(objects))]...)
}

// Join adds the gaps of another reading.
func (g *Gaps) Join(others Gaps) {
	for _, o := range others {
		g.Add(o.What, o.Why)
		one := &(*g)[slices.IndexFunc(*g, func(h Gap) bool { return h.What == o.What && h.Why == o.Why })]
		one.Objects += o.Objects
		room := max(0, shownExamples-len(one.Examples))
		one.Examples = append(one.Examples, o.Examples[:min(room, len(o.Examples))]...)
	}
}
