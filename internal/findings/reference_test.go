package findings

import (
	"strings"
	"testing"

	"rocketshift/internal/reference"
)

func TestTheReferenceHasEveryFinding(t *testing.T) {
	var page strings.Builder
	for _, area := range Areas() {
		page.WriteString("## " + area.Title + "\n\n")
		for _, e := range area.Entries {
			var is []string
			for _, severity := range e.Is {
				is = append(is, string(severity))
			}
			page.WriteString("### " + reference.Code(string(e.ID)) + "\n\n")
			page.WriteString(reference.Table([]string{strings.Join(is, " or "), sentence(e.Title)}, [][]string{
				{"why it matters", e.Why}, {"what to do", e.Do},
			}) + "\n")
		}
	}
	reference.Check(t, "findings.md", "findings", page.String())
}

func sentence(text string) string { return strings.ToUpper(text[:1]) + text[1:] }
