package plan

import (
	"fmt"
	"slices"
	"strings"
)

// maxShownProblems bounds the problems in a message: a file that isn't a plan at all has very many.
const maxShownProblems = 20

// Problem is one thing that is wrong with a plan.
type Problem struct {
	Path string `json:"path"` // such as shift.steps[1]; empty for the whole document
	Text string `json:"text"` // what is there, and what is allowed
}

// String is the problem in one line.
func (p Problem) String() string {
	if p.Path == "" {
		return p.Text
	}
	return p.Path + ": " + p.Text
}

// Problems is everything that is wrong with a plan: the error of Parse and Validate.
type Problems struct {
	List []Problem `json:"problems"`
}

// Error tells all problems in one line.
func (p *Problems) Error() string {
	var lines []string
	for _, one := range p.List[:min(len(p.List), maxShownProblems)] {
		lines = append(lines, one.String())
	}
	if rest := len(p.List) - maxShownProblems; rest > 0 {
		lines = append(lines, fmt.Sprintf("and %d more", rest))
	}
	return "plan: " + strings.Join(lines, "; ")
}

func (p *Problems) add(path, format string, args ...any) {
	p.List = append(p.List, Problem{Path: path, Text: fmt.Sprintf(format, args...)})
}

// join adds the problems of another check of the same plan, except for keys that have a problem
// already.
func (p *Problems) join(other *Problems) {
	known := slices.Clone(p.List)
	for _, o := range other.List {
		spoken := slices.ContainsFunc(known,
			func(k Problem) bool { return k.Path == "" || within(o.Path, k.Path) || within(k.Path, o.Path) })
		if !spoken {
			p.List = append(p.List, o)
		}
	}
}

// within reports whether path is outer or lies below it.
func within(path, outer string) bool {
	rest, ok := strings.CutPrefix(path, outer)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// orNil is the error, or nil if there is no problem.
func (p *Problems) orNil() error {
	if len(p.List) == 0 {
		return nil
	}
	return p
}

// quote shows a value of the plan, bounded.
func quote(s string) string { return fmt.Sprintf("%q", bounded(s)) }

func bounded(s string) string {
	const shown = 60
	if r := []rune(s); len(r) > shown {
		return string(r[:shown]) + "..."
	}
	return s
}
