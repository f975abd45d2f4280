package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"

	"rocketshift/api"
	"rocketshift/internal/printable"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

// Colour is a colour of a terminal, as an SGR code.
type Colour string

// The colours: what went wrong, what is done, and what is waited for.
const (
	Red    Colour = "31"
	Green  Colour = "32"
	Yellow Colour = "33"
	bold   Colour = "1"
)

// Page is how a status is shown to people.
type Page struct {
	Colour bool // on a terminal that shows colours
	Now    func() time.Time
}

// Paint colours a text.
func (p Page) Paint(c Colour, text string) string {
	if !p.Colour {
		return text
	}
	return "\x1b[" + string(c) + "m" + text + "\x1b[0m"
}

func (p Page) paintState(state string) string {
	switch state {
	case api.StateDone:
		return p.Paint(Green, state)
	case api.StateFailed, api.StateHeld, api.StateRolledBack, api.WaveRolledBack:
		return p.Paint(Red, state)
	case api.StateWaiting:
		return p.Paint(Yellow, state)
	case api.StagePending, api.StageSkipped:
		return state
	}
	return p.Paint(bold, state)
}

// Table is the status as people read it: where it is, the stages, the steps, and last what is asked
// of whom.
func (p Page) Table(s remote.Snapshot) string {
	found, asked := p.PicturesOf(s)
	return strings.TrimRight(found+asked, "\n")
}

// titleWidth is how many columns the titles of lines take.
const titleWidth = 10

// PicturesOf are the two parts of the status: what is so, and what is asked of whom.
func (p Page) PicturesOf(s remote.Snapshot) (found, asked string) {
	if s.WorkflowID == "" {
		return "nothing was seen yet", ""
	}
	s = printable.All(onOneLine(s), printable.Text)
	var b, last strings.Builder
	rows := func(b *strings.Builder) func(string, string, ...any) {
		return func(title, format string, args ...any) {
			fmt.Fprintf(b, "%s %s\n", p.Paint(bold, fmt.Sprintf("%-*s", titleWidth, title)),
				fmt.Sprintf(format, args...))
		}
	}
	row := rows(&b)
	title := s.Type
	if title == "" {
		title = api.MigrationType
	}
	row(title, "%s   %s   plan %s", nameOf(s), p.paintState(s.State), s.PlanHash)
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
		row("Lag", "%s%s", lag, p.Age(s.MeasuredAt))
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
		if len(v.Lost) > 0 {
			row("Lost", "%s", strings.Join(v.Lost, "; "))
		}
	}
	p.addTables(&b, s)
	p.addTroubles(row, s)
	p.addAsked(rows(&last), s)
	return b.String(), last.String()
}

func nameOf(s remote.Snapshot) string {
	if s.Name == "" {
		return s.WorkflowID
	}
	return s.Name
}

func (p Page) addTables(b *strings.Builder, s remote.Snapshot) {
	if len(s.Stages) > 0 {
		t := NewTable("stage", "state", "time", "detail")
		for _, r := range s.Stages {
			t.AppendRow(table.Row{r.Name, p.paintState(r.State), p.took(r), Short(r.Detail)})
		}
		fmt.Fprintf(b, "\n%s\n", t.Render())
	}
	if len(s.Waves) > 0 {
		t := NewTable("step", "state", "topics", "groups")
		for _, w := range s.Waves {
			t.AppendRow(
				table.Row{fmt.Sprintf("%d%%", w.Step), p.paintState(w.State), api.Short(w.Topics), api.Short(w.Groups)},
			)
		}
		fmt.Fprintf(b, "\n%s\n", t.Render())
	}
	if s.Ledger != nil {
		t := NewTable("ledger", "of", "rest", "detail")
		for _, r := range s.Ledger.Rows.First() {
			t.AppendRow(table.Row{r.Kind, r.Object, printable.Grouped(r.Rest), Short(r.Detail)})
		}
		if rest := s.Ledger.Rows.Len() - len(s.Ledger.Rows.First()); rest > 0 {
			t.AppendRow(table.Row{"", fmt.Sprintf("and %d more", rest), "", "all of them: -o json"})
		}
		for _, r := range s.Ledger.Drift.First() {
			t.AppendRow(table.Row{r.Kind, r.Object, "", Short(r.Detail)})
		}
		fmt.Fprintf(b, "\n%s\n", t.Render())
	}
	b.WriteString("\n")
}

// NewTable is a table without borders.
func NewTable(titles ...any) table.Writer {
	t := table.NewWriter()
	t.SetStyle(table.StyleLight)
	t.Style().Options = table.OptionsNoBordersAndSeparators
	t.AppendHeader(titles)
	t.SuppressTrailingSpaces()
	return t
}

func (p Page) addTroubles(row func(string, string, ...any), s remote.Snapshot) {
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
		row("Fault", "%s", p.Paint(Red, f))
	}
	for _, stray := range stragglersOf(s) {
		row("Straggler", "%s", p.Paint(Red, stray.String()))
	}
	if s.Sync != nil && s.Sync.Past.String() != "" {
		row("Past", "%s", p.Paint(Yellow, s.Sync.Past.String()))
	}
	for _, b := range s.Blocked {
		row("Not yet", "%s (try %d): %s", b.Activity, b.Attempt, b.Cause)
	}
	for _, n := range s.Notes {
		row("Note", "%s", n)
	}
	if s.Error != "" {
		row("Error", "%s", p.Paint(Red, s.Error))
	}
}

// findingsOf are what Assess found and still holds: of gateways SyncOffsets has heard since.
func findingsOf(s remote.Snapshot) []api.Finding {
	if s.Sync != nil && !s.Sync.PastAt.IsZero() {
		return api.WithoutGateways(s.Inventory.Findings).First()
	}
	return s.Inventory.Findings.First()
}

// configuredOtherwise is what ImportMetadata warned of that Assess had not, as the target came
// later.
func configuredOtherwise(s remote.Snapshot) (all []api.Finding) {
	if s.Metadata == nil {
		return nil
	}
	for _, f := range s.Metadata.Warnings.First() {
		if s.Inventory == nil || !slices.ContainsFunc(s.Inventory.Findings.First(), f.Same) {
			all = append(all, f)
		}
	}
	return all
}

func (p Page) addAsked(row func(string, string, ...any), s remote.Snapshot) {
	for _, w := range s.Waiting {
		row(
			"Waiting",
			"%s",
			p.Paint(
				Yellow,
				fmt.Sprintf("for %s %s since %s%s: %s", w.Kind, w.Gate, w.Since.Local().Format(time.TimeOnly),
					p.expiry(w), w.Text),
			),
		)
		if w.Evidence != "" {
			row("", "evidence %s", w.Evidence)
		}
	}
	for _, command := range s.Next {
		row("Next", "%s", p.Paint(bold, command))
	}
	switch {
	case s.Report != "":
		row("Report", "rocketshift report %s", s.Name)
	case s.PointOfNoReturn == nil && s.Running && s.WorkflowID == plan.WorkflowID(s.Name) && len(s.Next) > 0:
		row("Way back", "rocketshift back %s --by YOU --reason WHY", s.Name)
	}
}

// expiry says how long an answer still counts.
func (p Page) expiry(w api.Waiting) string {
	if w.Expires == nil {
		return ""
	}
	left := w.Expires.Sub(p.Now())
	if left <= 0 {
		return ", being measured again"
	}
	return ", measured again in " + left.Round(time.Second).String()
}

// staleAge is from when on people should know that a number is old.
const staleAge = 5 * time.Second

// Age says how old a number is, if people should know.
func (p Page) Age(at time.Time) string {
	if old := p.Now().Sub(at); !at.IsZero() && old > staleAge {
		return " (" + old.Round(time.Second).String() + " ago)"
	}
	return ""
}

// took is how long a stage ran, or runs by now.
func (p Page) took(s api.StageStatus) string {
	if s.StartedAt == nil {
		return ""
	}
	end := p.Now()
	if s.EndedAt != nil {
		end = *s.EndedAt
	}
	return max(end.Sub(*s.StartedAt), 0).Round(time.Second).String()
}

// Joined makes one line of an error of several.
var Joined = strings.NewReplacer(":\n", ": ", "\n", "; ")
