package page

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

const (
	// leastFound is how many lines of what is so are shown in a low window: its name and state.
	leastFound = 2
	// leastWidth is what a line is wrapped at in a window that is narrower still.
	leastWidth = 2 * titleWidth
)

// Frame makes a picture fit a terminal: no line is longer than a row, as the terminal would wrap
// it and scroll the first lines away. Lines of tables are cut, others go on in the next row. Where
// there are too many rows the middle is left out: what is asked of people stays.
func Frame(found, asked string, width, height int) []string {
	top, end := rows(found, width), rows(asked, width)
	if len(top)+len(end) <= height {
		return append(top, end...)
	}
	room := max(height-1-len(end), leastFound)
	if room > len(top) {
		room = len(top)
	}
	if most := max(height-1-room, 0); len(end) > most {
		end = end[:most]
	}
	left := len(rows(found, width)) + len(rows(asked, width)) - room - len(end)
	more := fmt.Sprintf("... %d more lines: a taller window or rocketshift status shows them", left)
	return append(append(top[:room:room], text.Snip(more, width, "…")), end...)
}

// rows are the rows of a terminal that lines take.
func rows(lines string, width int) (all []string) {
	lines = strings.TrimSuffix(lines, "\n")
	if lines == "" {
		return nil
	}
	const hanging = titleWidth + 1
	indent := strings.Repeat(" ", hanging)
	for _, line := range strings.Split(lines, "\n") {
		switch {
		case width <= 0 || text.StringWidthWithoutEscSequences(line) <= width:
			all = append(all, line)
		case strings.HasPrefix(line, " ") && !strings.HasPrefix(line, indent): // of a table
			all = append(all, text.Snip(line, width, "…"))
		default:
			title, rest := cutAt(line, hanging)
			wrapped := text.WrapSoft(rest, max(width-hanging, leastWidth))
			for _, part := range strings.Split(wrapped, "\n") {
				all = append(all, title+strings.TrimRight(part, " "))
				title = indent
			}
		}
	}
	return all
}

// cutAt cuts a line behind so many columns, whatever colours it has.
func cutAt(line string, columns int) (before, behind string) {
	escape := false
	for i, r := range line {
		switch {
		case r == '\x1b':
			escape = true
		case escape:
			escape = r != 'm' // the end of a colour
		case columns == 0:
			return line[:i], line[i:]
		default:
			columns--
		}
	}
	return line, ""
}
