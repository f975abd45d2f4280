package reference

import "strings"

// Table is a table in Markdown.
func Table(head []string, rows [][]string) string {
	var out strings.Builder
	line := func(cells []string) {
		for _, cell := range cells {
			cell = strings.ReplaceAll(strings.Join(strings.Fields(cell), " "), "|", `\|`)
			out.WriteString("| " + cell + " ")
		}
		out.WriteString("|\n")
	}
	line(head)
	out.WriteString(strings.Repeat("|---", len(head)) + "|\n")
	for _, row := range rows {
		line(row)
	}
	return out.String()
}

// Code is a text as code, or nothing.
func Code(text string) string {
	if text == "" {
		return ""
	}
	return "`" + text + "`"
}
