package api

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/internal/printable"
)

// Details is the status as the Web UI shows it while a workflow runs. What is waited for comes
// first, with the command that answers it.
func Details(s Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** %s, plan `%s`: **%s**", s.Type, printable.Markdown(s.Name), s.PlanHash, s.State)
	if s.Detail != "" {
		fmt.Fprintf(&b, ": %s", printable.Markdown(s.Detail))
	}
	b.WriteString("\n\n")
	for _, w := range s.Waiting {
		writeWaiting(&b, s, w)
	}
	writeStages(&b, s)
	writeWaves(&b, s)
	if s.Error != "" {
		fmt.Fprintf(&b, "\n**Failed**: %s\n", printable.Markdown(s.Error))
	}
	if s.Ledger != nil {
		b.WriteString("\n| ledger | of | rest |\n|---|---|---|\n")
		for _, r := range s.Ledger.Rows.First() {
			fmt.Fprintf(&b, "| %s | %s | %d |\n", r.Kind, printable.Markdown(r.Object), r.Rest)
		}
		if rest := s.Ledger.Rows.Len() - len(s.Ledger.Rows.First()); rest > 0 {
			fmt.Fprintf(&b, "| | and %d more | |\n", rest)
		}
		for _, r := range s.Ledger.Drift.First() {
			fmt.Fprintf(&b, "\n- %s %s", printable.Markdown(r.Object), printable.Markdown(r.Detail))
		}
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "\n- %s", printable.Markdown(n))
	}
	writeMore(&b, s)
	return b.String()
}

// writeMore names the command that shows more. It is the last line, which the Web UI may hide until
// the page is loaded again.
func writeMore(b *strings.Builder, s Status) {
	switch {
	case s.Name == "":
	case s.Type == ReplicateType:
		fmt.Fprintf(b, "\n\nHow far the lanes are: `rocketshift lanes %s`, or the heartbeats of the "+
			"pending activities\n", printable.Markdown(s.Name))
	default:
		fmt.Fprintf(b, "\n\nMore: `rocketshift status %s`\n", printable.Markdown(s.Name))
	}
}

func writeWaiting(b *strings.Builder, s Status, w Waiting) {
	fmt.Fprintf(b, "**Waiting** for %s %s since %s: %s\n\n", w.Kind, w.Gate,
		w.Since.UTC().Format(time.RFC3339), printable.Markdown(w.Text))
	for _, command := range NextCommands(s, w) {
		fmt.Fprintf(b, "`%s`\n\n", printable.Markdown(command))
	}
}

// NextCommands are the command lines for a waiting entry. If it is held, going back is an answer
// too, as long as that is possible.
func NextCommands(s Status, w Waiting) (commands []string) {
	if command := NextCommand(s, w); command != "" {
		commands = []string{command}
	}
	back := s.Type == RollbackType || slices.ContainsFunc(s.Stages,
		func(row StageStatus) bool { return row.Name == RollbackType })
	if w.Gate == ResumeName && s.PointOfNoReturn == nil && !back {
		commands = append(commands, NextCommand(s, Waiting{Gate: BackName}))
	}
	return commands
}

// NextCommand is the command line that answers a waiting entry, with YOU in place of the person's
// name.
func NextCommand(s Status, w Waiting) string {
	switch {
	case w.Kind == WaitingApproval:
		return fmt.Sprintf("rocketshift approve %s %s --by YOU --reason WHY", s.Name, w.Gate)
	case w.Kind == WaitingRelease:
		return fmt.Sprintf("rocketshift released %s --by YOU", s.Name)
	case w.Gate == BackName:
		return fmt.Sprintf("rocketshift back %s --by YOU --reason WHY", s.Name)
	case w.Gate == ResumeName:
		return fmt.Sprintf("rocketshift resume %s --by YOU", s.Name)
	}
	return ""
}

func writeStages(b *strings.Builder, s Status) {
	if len(s.Stages) == 0 {
		return
	}
	b.WriteString("| stage | state | |\n|---|---|---|\n")
	for _, row := range s.Stages {
		fmt.Fprintf(b, "| %s | %s | %s |\n", row.Name, row.State, printable.Markdown(row.Detail))
	}
}

func writeWaves(b *strings.Builder, s Status) {
	if len(s.Waves) == 0 {
		return
	}
	b.WriteString("\n| step | state | topics | groups |\n|---|---|---|---|\n")
	for _, w := range s.Waves {
		fmt.Fprintf(b, "| %d%% | %s | %s | %s |\n", w.Step, w.State, printable.Markdown(Short(w.Topics)),
			printable.Markdown(Short(w.Groups)))
	}
}
