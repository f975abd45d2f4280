package main

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// crowded is a status with longer lines and more of them than a small terminal shows.
func crowded() snapshot {
	s := asking("shift-25")
	s.Detail = strings.Repeat("a detail that goes on and on ", 10)
	for range 20 {
		s.Notes = append(s.Notes, strings.Repeat("a note ", 40))
	}
	for i := range s.Stages {
		s.Stages[i].Detail = strings.Repeat("a stage's detail ", 12)
	}
	return complete(s)
}

func TestAPictureFitsATerminalOf80Columns(t *testing.T) {
	a := newApp(nil, terminal(t, 80, 24), nil, func(string) (string, bool) { return "", false })
	found, asked := a.picturesOf(crowded())
	lines := frame(found, asked, 80, a.height())
	require.LessOrEqual(t, len(lines), 23)
	for _, line := range lines {
		assert.LessOrEqual(t, text.StringWidthWithoutEscSequences(line), 80, "%q", line)
	}
	all := strings.Join(lines, "\n")
	assert.Contains(t, lines[0], "orders")
	assert.Contains(t, all, "more lines")
	assert.Contains(t, all, "rocketshift approve orders shift-25 --by YOU --reason WHY")
	assert.Contains(t, lines[len(lines)-1], "Way back")
}

func TestAPictureIsWholeWhereItFits(t *testing.T) {
	a := newApp(nil, nil, nil, func(string) (string, bool) { return "", false })
	s := complete(asking("shift-25"))
	found, asked := a.picturesOf(s)
	require.Equal(t, a.table(s), strings.Join(frame(found, asked, 300, 100), "\n"))
}

func TestLinesGoOnAndTablesAreCut(t *testing.T) {
	require.Equal(t, []string{
		"Waiting    for an approval of",
		"           the step",
		" stage   state   a long detai…",
		"           and evidence",
	}, rows("Waiting    for an approval of the step\n"+
		" stage   state   a long detail of it\n"+
		"           and evidence\n", 30))
}

func TestALowWindowShowsTheStateAndWhatIsAsked(t *testing.T) {
	lines := frame("Migration  orders\nDoing      much\nthird\nfourth", "Waiting  a\nNext  b\n", 80, 5)
	require.Equal(t, []string{
		"Migration  orders", "Doing      much",
		"... 2 more lines: a taller window or rocketshift status shows them",
		"Waiting  a", "Next  b",
	}, lines)
}
