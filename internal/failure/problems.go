package failure

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/plan"
)

// Problems is everything that keeps a command from being done.
type Problems struct {
	What string // the command
	List []plan.Problem
}

func (p *Problems) Error() string {
	var lines []string
	for _, one := range p.List {
		lines = append(lines, one.String())
	}
	return p.What + ": " + strings.Join(lines, "; ")
}

// Add adds a problem of an object.
func (p *Problems) Add(object, format string, args ...any) {
	p.List = append(p.List, plan.Problem{Path: object, Text: fmt.Sprintf(format, args...)})
}

// Once adds a problem if there is none of the object.
func (p *Problems) Once(object, format string, args ...any) {
	if !p.Knows(object) {
		p.Add(object, format, args...)
	}
}

// Knows reports whether there is a problem of the object.
func (p *Problems) Knows(object string) bool {
	return slices.ContainsFunc(p.List, func(one plan.Problem) bool { return one.Path == object })
}

// OrNil is a usage error, or nil without problems.
func (p *Problems) OrNil() error {
	if len(p.List) == 0 {
		return nil
	}
	return Usage("", "%w", p)
}
