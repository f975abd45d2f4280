package main

import (
	"strings"
	"testing"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"rocketshift/starter/page"
	"rocketshift/starter/remote"
)

// crowded is a status with longer lines and more of them than a small terminal shows.
func crowded() remote.Snapshot {
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
	found, asked := a.page().PicturesOf(crowded())
	lines := page.Frame(found, asked, 80, a.height())
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
	found, asked := a.page().PicturesOf(s)
	require.Equal(t, a.page().Table(s), strings.Join(page.Frame(found, asked, 300, 100), "\n"))
}
