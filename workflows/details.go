package workflows

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"rocketshift/activities"
	"rocketshift/internal/printable"
)

// Details is the status as the Web UI shows it while a workflow runs: what is waited for first, with the command that answers.
func Details(s Status) string {
	var b strings.Builder
	fmt.Fprintf(&b, "**%s** %s, plan `%s`: **%s**", s.Type, text(s.Name), s.PlanHash, s.State)
	if s.Detail != "" {
		fmt.Fprintf(&b, ": %s", text(s.Detail))
	}
	b.WriteString("\n\n")
	for _, w := range s.Waiting {
		writeWaiting(&b, s, w)
	}
	writeStages(&b, s)
	writeWaves(&b, s)
	if s.Error != "" {
		fmt.Fprintf(&b, "\n**Failed**: %s\n", text(s.Error))
	}
	if s.Ledger != nil {
		b.WriteString("\n| ledger | of | rest |\n|---|---|---|\n")
		for _, r := range s.Ledger.Rows.First() {
			fmt.Fprintf(&b, "| %s | %s | %d |\n", r.Kind, text(r.Object), r.Rest)
		}
		if rest := s.Ledger.Rows.Len() - len(s.Ledger.Rows.First()); rest > 0 {
			fmt.Fprintf(&b, "| | and %d more | |\n", rest)
		}
	}
	for _, n := range s.Notes {
		fmt.Fprintf(&b, "\n- %s", text(n))
	}
	writeMore(&b, s)
	return b.String()
}

// text is what people, clients and brokers named, as text.
func text(s string) string { return printable.Markdown(s) }

// writeMore names the command that shows more. The Web UI may hide the last line until the page is loaded again: this one can be missed.
func writeMore(b *strings.Builder, s Status) {
	switch {
	case s.Name == "":
	case s.Type == ReplicateType:
		fmt.Fprintf(b, "\n\nHow far the lanes are: `rocketshift lanes %s`, or the heartbeats of the "+
			"pending activities\n", text(s.Name))
	default:
		fmt.Fprintf(b, "\n\nMore: `rocketshift status %s`\n", text(s.Name))
	}
}

func writeWaiting(b *strings.Builder, s Status, w Waiting) {
	fmt.Fprintf(b, "**Waiting** for %s %s since %s: %s\n\n", w.Kind, w.Gate,
		w.Since.UTC().Format(time.RFC3339), text(w.Text))
	for _, command := range NextCommands(s, w) {
		fmt.Fprintf(b, "`%s`\n\n", text(command))
	}
}

// NextCommands are the command lines for a waiting entry. Whoever finds it held may go back instead
// of on, as long as that is possible.
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

// NextCommand is the command line that answers a waiting entry, with YOU in place of the person's name.
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
		fmt.Fprintf(b, "| %s | %s | %s |\n", row.Name, row.State, text(row.Detail))
	}
}

func writeWaves(b *strings.Builder, s Status) {
	if len(s.Waves) == 0 {
		return
	}
	b.WriteString("\n| step | state | topics | groups |\n|---|---|---|---|\n")
	for _, w := range s.Waves {
		fmt.Fprintf(b, "| %d%% | %s | %s | %s |\n", w.Step, w.State, text(activities.Short(w.Topics)),
			text(activities.Short(w.Groups)))
	}
}

// short lists the first names and counts the rest: details stay readable with thousands of topics.
func short(names []string) string {
	const shown = 5
	if len(names) <= shown {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:shown], ", "), len(names)-shown)
}

// shortened is short as a list, which may be empty.
func shortened(names activities.Names) []string {
	if names.IsZero() {
		return nil
	}
	return []string{activities.Short(names)}
}

// attributeBytes is what databases of Temporal's visibility take of a keyword.
const attributeBytes = 255

// keyword shortens the value of a search attribute to what fits, between two characters.
func keyword(value string) string {
	for len(value) > attributeBytes {
		_, size := utf8.DecodeLastRuneInString(value)
		value = value[:len(value)-size]
	}
	return value
}

// waitingValue is the search attribute: kind and gate of the first entry, so that a saved view finds "waiting for me".
func waitingValue(s Status) string {
	if len(s.Waiting) == 0 {
		return "nobody"
	}
	return strings.TrimSuffix(s.Waiting[0].Kind+":"+s.Waiting[0].Gate, ":")
}

func targetValue(s Status) string {
	if s.Target == nil {
		return "none"
	}
	return s.Target.Provider + ":" + s.Target.Name
}
