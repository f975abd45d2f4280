package assess

import (
	"fmt"
	"io"
	"strings"
	"time"

	"rocketshift/internal/printable"
)

// Markdown writes the report as a page.
func (r Report) Markdown(to io.Writer) error {
	m := &markdown{}
	m.line("# Assessment of %s", strings.Join(r.Source, ", "))
	m.line("\n%s. Brokers: %s. Measured %s.", r.Clusters(), strings.Join(r.Brokers, ", "),
		r.MeasuredAt.UTC().Format(time.RFC3339))
	m.line("\n%s", r.Verdict())
	if len(r.Findings) > 0 {
		m.line("\n## Findings\n")
	}
	for _, f := range r.Findings {
		m.line("- **%s** `%s`, %s: %s.", f.Severity, f.ID, f.Object, f.Cause)
		if f.Why != "" {
			m.line("  - Why: %s.", f.Why)
		}
		m.line("  - Do: %s.", f.Next)
		for _, e := range f.Evidence {
			m.line("  - Evidence: %s", e)
		}
	}
	m.recommended(r)
	_, err := io.WriteString(to, m.text.String())
	return err
}

// Clusters is what the source is, in one line.
func (r Report) Clusters() string {
	return fmt.Sprintf("RocketMQ %s, %s, %s with %s and %s, %s", r.SourceVersion,
		printable.Counted(len(r.Brokers), "broker"), printable.Counted(r.Topics, "topic"),
		printable.Counted(r.Queues, "queue"), printable.Counted(r.Messages, "message"), printable.Counted(r.Groups, "group"))
}

// Verdict is the report in one line.
func (r Report) Verdict() string {
	count := map[string]int{}
	for _, f := range r.Findings {
		count[string(f.Severity)]++
	}
	if r.Refusals == 0 {
		return fmt.Sprintf("Nothing is refused: %s, %s.", printable.Counted(count["warning"], "warning"),
			pieces(count["advice"]))
	}
	return fmt.Sprintf("Refused for %s, with %s and %s.", printable.Counted(r.Refusals, "reason"),
		printable.Counted(count["warning"], "warning"), pieces(count["advice"]))
}

func pieces(advice int) string { return printable.Counted(advice, "piece") + " of advice" }

type markdown struct{ text strings.Builder }

// line writes a line; what servers named can't end it, or mean anything in Markdown.
func (m *markdown) line(format string, args ...any) {
	for i, arg := range args {
		if text, is := arg.(string); is {
			args[i] = printable.Markdown(text)
		} else if text, is := arg.(fmt.Stringer); is {
			args[i] = printable.Markdown(text.String())
		}
	}
	fmt.Fprintf(&m.text, format+"\n", args...)
}

func (m *markdown) recommended(r Report) {
	for _, section := range r.Sections() {
		m.line("\n## %s\n", section.Title)
		for _, row := range section.Rows {
			m.line("- %s: %s. %s", row.Object, row.What, row.Why)
		}
	}
}
