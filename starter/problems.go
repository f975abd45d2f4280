package main

import (
	"fmt"
	"slices"
	"strings"

	"rocketshift/plan"
)

// problems is everything that stands in the way of a command.
type problems struct {
	what string // the command
	list []plan.Problem
}

func (p *problems) Error() string {
	var lines []string
	for _, one := range p.list {
		lines = append(lines, one.String())
	}
	return p.what + ": " + strings.Join(lines, "; ")
}

func (p *problems) add(object, format string, args ...any) {
	p.list = append(p.list, plan.Problem{Path: object, Text: fmt.Sprintf(format, args...)})
}

// once adds a problem if there is none of the object.
func (p *problems) once(object, format string, args ...any) {
	if !p.knows(object) {
		p.add(object, format, args...)
	}
}

func (p *problems) knows(object string) bool {
	return slices.ContainsFunc(p.list, func(one plan.Problem) bool { return one.Path == object })
}

// orNil is a usage error, or nil without problems.
func (p *problems) orNil() error {
	if len(p.list) == 0 {
		return nil
	}
	return usage("", "%w", p)
}
