package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"rocketshift/api"
	"rocketshift/internal/printable"
	"rocketshift/plan"
)

// colours of a terminal, as SGR codes.
type colour string

const (
	red    colour = "31"
	green  colour = "32"
	yellow colour = "33"
	bold   colour = "1"
)

func (a *app) paint(c colour, text string) string {
	if !a.colour() {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func (a *app) paintState(state string) string {
	switch state {
	case api.StateDone:
		return a.paint(green, state)
	case api.StateFailed, api.StateHeld, api.StateRolledBack, api.WaveRolledBack:
		return a.paint(red, state)
	case api.StateWaiting:
		return a.paint(yellow, state)
	case api.StagePending, api.StageSkipped:
		return state
	}
	return a.paint(bold, state)
}

// table is the status as people read it: where it is, the stages, the steps, and last what is asked
// of whom.
func (a *app) table(s snapshot) string {
	found, asked := a.picturesOf(s)
	return strings.TrimRight(found+asked, "\n")
}

// titleWidth is how many columns the titles of lines take.
const titleWidth = 10

// picturesOf are the two parts of the status: what is so, and what is asked of whom.
func (a *app) picturesOf(s snapshot) (found, asked string) {
	if s.WorkflowID == "" {
		return "nothing was seen yet", ""
	}
	s = printable.All(onOneLine(s), printable.Text)
	var b, last strings.Builder
	rows := func(b *strings.Builder) func(string, string, ...any) {
		return func(title, format string, args ...any) {
			fmt.Fprintf(b, "%s %s\n", a.paint(bold, fmt.Sprintf("%-*s", titleWidth, title)),
				fmt.Sprintf(format, args...))
		}
	}
	row := rows(&b)
	title := s.Type
	if title == "" {
		title = api.MigrationType
	}
	row(title, "%s   %s   plan %s", nameOf(s), a.paintState(s.State), s.PlanHash)
	if s.Detail != "" {
		row("Doing", "%s", s.Detail)
	}
	if t := s.Target; t != nil {
		row("Target", "%s %s, RocketMQ %s, name servers %s%s", t.Provider, t.Cluster, t.Version,
			strings.Join(t.NameServers, ", "), prefixed(", gRPC ", t.ProxyGRPC))
	}
	if i := s.Inventory; i != nil && i.SourceVersion != "" {
		row("Source", "RocketMQ %s, %d brokers, %d topics, %d queues, %d groups, %s messages", i.SourceVersion,
			i.Brokers, i.Topics, i.Queues, i.Groups, printable.Grouped(i.Messages))
	}
	if lag := lagOf(s); lag != "" {
		row("Lag", "%s%s", lag, a.age(s.MeasuredAt))
	}
	if comparing := comparingOf(s); comparing != "" {
		row("Comparing", "%s", comparing)
	}
	if v := s.Verification; v != nil {
		row("Verified", "%s messages in %d lanes: %d missing, %d extra, %d altered, %d out of order",
			printable.Grouped(v.Compared), v.Lanes, v.Missing, v.Extra, v.Altered, v.OutOfOrder)
		if len(v.FromSlaves) > 0 {
			row("Slaves", "read from a slave, as there is no master: %s; what that had besides isn't known",
				strings.Join(v.FromSlaves, ", "))
		}
		if len(v.LeftOut) > 0 {
			row("Left out", "%s by the plan: nothing is said of what they hold", strings.Join(v.LeftOut, ", "))
		}
	}
	a.addTables(&b, s)
	a.addTroubles(row, s)
	a.addAsked(rows(&last), s)
	return b.String(), last.String()
}

func nameOf(s snapshot) string {
	if s.Name == "" {
		return s.WorkflowID
	}
	return s.Name
}

func (a *app) addTables(b *strings.Builder, s snapshot) {
	if len(s.Stages) > 0 {
		t := newTable("stage", "state", "time", "detail")
		for _, r := range s.Stages {
			t.AppendRow(table.Row{r.Name, a.paintState(r.State), a.took(r), short(r.Detail)})
		}
		fmt.Fprintf(b, "\n%s\n", t.Render())
	}
	if len(s.Waves) > 0 {
		t := newTable("step", "state", "topics", "groups")
		for _, w := range s.Waves {
			t.AppendRow(
				table.Row{fmt.Sprintf("%d%%", w.Step), a.paintState(w.State), api.Short(w.Topics), api.Short(w.Groups)},
			)
		}
		fmt.Fprintf(b, "\n%s\n", t.Render())
	}
	if s.Ledger != nil {
		t := newTable("ledger", "of", "rest", "detail")
		for _, r := range s.Ledger.Rows.First() {
			t.AppendRow(table.Row{r.Kind, r.Object, printable.Grouped(r.Rest), short(r.Detail)})
		}
		if rest := s.Ledger.Rows.Len() - len(s.Ledger.Rows.First()); rest > 0 {
			t.AppendRow(table.Row{"", fmt.Sprintf("and %d more", rest), "", "all of them: -o json"})
		}
		fmt.Fprintf(b, "\n%s\n", t.Render())
	}
	b.WriteString("\n")
}

func newTable(titles ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(titles)
	t.SuppressTrailingSpaces()
	return t
}

func (a *app) addTroubles(row func(string, string, ...any), s snapshot) {
	if s.Inventory != nil {
		for _, f := range findingsOf(s) {
			kind := "Finding"
			if f.Refusal {
				kind = "Refused"
			}
			row(kind, "%s: %s; %s", f.Object, f.Cause, f.Next)
		}
		if rest := s.Inventory.Findings.Len() - len(s.Inventory.Findings.First()); rest > 0 {
			row("Finding", "and %d more: all of them with -o json", rest)
		}
	}
	for _, f := range configuredOtherwise(s) {
		row("Finding", "%s: %s; %s", f.Object, f.Cause, f.Next)
	}
	for _, f := range faultsOf(s) {
		row("Fault", "%s", a.paint(red, f))
	}
	for _, stray := range stragglersOf(s) {
		row("Straggler", "%s", a.paint(red, stray.String()))
	}
	if s.Sync != nil && s.Sync.Past.String() != "" {
		row("Past", "%s", a.paint(yellow, s.Sync.Past.String()))
	}
	for _, b := range s.Blocked {
		row("Not yet", "%s (try %d): %s", b.Activity, b.Attempt, b.Cause)
	}
	for _, n := range s.Notes {
		row("Note", "%s", n)
	}
	if s.Error != "" {
		row("Error", "%s", a.paint(red, s.Error))
	}
}

// findingsOf are what Assess found and still holds: of gateways SyncOffsets has heard since.
func findingsOf(s snapshot) []api.Finding {
	if s.Sync != nil && !s.Sync.PastAt.IsZero() {
		return api.WithoutGateways(s.Inventory.Findings).First()
	}
	return s.Inventory.Findings.First()
}

// configuredOtherwise is what ImportMetadata warned of that Assess had not, as the target came
// later.
func configuredOtherwise(s snapshot) (all []api.Finding) {
	if s.Metadata == nil {
		return nil
	}
	for _, f := range s.Metadata.Warnings.First() {
		if s.Inventory == nil || !slices.Contains(s.Inventory.Findings.First(), f) {
			all = append(all, f)
		}
	}
	return all
}

func (a *app) addAsked(row func(string, string, ...any), s snapshot) {
	for _, w := range s.Waiting {
		row(
			"Waiting",
			"%s",
			a.paint(
				yellow,
				fmt.Sprintf("for %s %s since %s%s: %s", w.Kind, w.Gate, w.Since.Local().Format(time.TimeOnly),
					a.expiry(w), w.Text),
			),
		)
		if w.Evidence != "" {
			row("", "evidence %s", w.Evidence)
		}
	}
	for _, command := range s.Next {
		row("Next", "%s", a.paint(bold, command))
	}
	switch {
	case s.Report != "":
		row("Report", "rocketshift report %s", s.Name)
	case s.PointOfNoReturn == nil && s.Running && s.WorkflowID == plan.WorkflowID(s.Name) && len(s.Next) > 0:
		row("Way back", "rocketshift back %s --by YOU --reason WHY", s.Name)
	}
}

// expiry says how long an answer still counts.
func (a *app) expiry(w api.Waiting) string {
	if w.Expires == nil {
		return ""
	}
	left := w.Expires.Sub(a.now())
	if left <= 0 {
		return ", being measured again"
	}
	return ", measured again in " + left.Round(time.Second).String()
}

// staleAge is from when on people should know that a number is old.
const staleAge = 5 * time.Second

func (a *app) age(at time.Time) string {
	if old := a.now().Sub(at); !at.IsZero() && old > staleAge {
		return " (" + old.Round(time.Second).String() + " ago)"
	}
	return ""
}

// took is how long a stage ran, or runs by now.
func (a *app) took(s api.StageStatus) string {
	if s.StartedAt == nil {
		return ""
	}
	end := a.now()
	if s.EndedAt != nil {
		end = *s.EndedAt
	}
	return max(end.Sub(*s.StartedAt), 0).Round(time.Second).String()
}

// joined makes one line of an error of several.
var joined = strings.NewReplacer(":\n", ": ", "\n", "; ")
