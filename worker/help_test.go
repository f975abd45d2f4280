package main

import (
	"os"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/reference"
)

// tableRow is a row of a table of the docs.
var tableRow = regexp.MustCompile(`(?m)^\|.*$`)

var variableName = regexp.MustCompile("`(ROCKETSHIFT_[A-Z_]+)`")

func TestHelpNamesEveryVariableOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../docs/run-on-your-temporal.md")
	require.NoError(t, err)
	names := map[string]bool{}
	for _, line := range tableRow.FindAllString(string(page), -1) {
		for _, found := range variableName.FindAllStringSubmatch(line, -1) {
			names[found[1]] = true
		}
	}
	require.Greater(t, len(names), 5, "%v", names)
	for name := range names {
		require.Contains(t, help, name)
	}
}

func TestTheReferenceHasTheHelp(t *testing.T) {
	reference.Check(t, "worker.md", "help", "```text\n"+help+"```")
}
