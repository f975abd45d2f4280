package main

import (
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"rocketshift/internal/failure"
	"rocketshift/internal/reference"
)

func TestTheReferenceHasEveryCommand(t *testing.T) {
	root := newApp(
		strings.NewReader(""),
		io.Discard,
		io.Discard,
		func(string) (string, bool) { return "", false },
	).command()
	commands := reference.Commands(root)
	require.Contains(t, commands, "## `rocketshift approve ")
	reference.Check(t, "cli.md", "flags", reference.Flags(root.PersistentFlags()))
	reference.Check(t, "cli.md", "commands", commands)
	reference.Check(t, "exit-codes.md", "codes", exitCodesTable(t))
}

// exitCodesTable is the help topic as a page.
func exitCodesTable(t *testing.T) string {
	t.Helper()
	var rows [][]string
	var more []string
	for _, line := range strings.Split(strings.TrimSpace(exitCodesText), "\n")[1:] {
		row, isRow := strings.CutPrefix(line, "  ")
		if !isRow {
			more = append(more, line)
			continue
		}
		code, meaning, found := strings.Cut(row, "  ")
		require.True(t, found, line)
		rows = append(rows, []string{code, meaning})
	}
	require.Len(t, rows, failure.Refused+1, "each code of package failure has a line")
	return reference.Table([]string{"code", "meaning"}, rows) + "\n" + strings.TrimSpace(strings.Join(more, "\n"))
}
