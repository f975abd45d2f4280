package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/printable"
)

// page is a Markdown page that is being written.
type page struct{ bytes.Buffer }

// Page turns a migration's status into a page.
func Page(status []byte) ([]byte, error) {
	var d api.Status
	if err := json.Unmarshal(status, &d); err != nil {
		return nil, err
	}
	p := &page{}
	p.head(d)
	p.stages(d.Stages)
	p.waves(d.Waves)
	p.approvals(d.Approvals)
	p.said(slices.Concat(d.EarlierAnswers.First(), d.Answers), d.Rates)
	p.elsewhere(d.EarlierAnswers.Document())
	p.verification(d.Verification)
	p.ledger(d.Ledger)
	p.inventory(d.Inventory)
	p.configured(d.Metadata)
	p.notes(d.Notes)
	p.lost(status)
	return p.Bytes(), nil
}

func (p *page) line(format string, args ...any) { fmt.Fprintf(p, format+"\n", args...) }

func (p *page) head(d api.Status) {
	p.line("# Migration %s: %s\n", text(d.Name), text(d.State))
	p.line("- plan %s", text(d.PlanHash))
	if d.Target != nil {
		p.line("- target: %s %s, name servers %s", text(d.Target.Provider), text(d.Target.Version),
			text(strings.Join(d.Target.NameServers, ", ")))
	}
	if d.PointOfNoReturn != nil {
		p.line("- point of no return: %s", when(d.PointOfNoReturn))
	}
	if d.Metadata != nil {
		p.line("- metadata: %d topics and %d groups created, %d were there, %d conflicts",
			d.Metadata.CreateTopics.Len(), d.Metadata.CreateGroups.Len(), d.Metadata.Same, d.Metadata.Conflicts.Len())
	}
	if d.Detail != "" {
		p.line("- %s", text(d.Detail))
	}
	if d.Error != "" {
		p.line("- error: %s", text(d.Error))
	}
}

func (p *page) stages(stages []api.StageStatus) {
	var rows [][]string
	for _, s := range stages {
		rows = append(rows, []string{s.Name, s.State, when(s.StartedAt), when(s.EndedAt), s.Detail})
	}
	p.table("Stages", []string{"stage", "state", "started", "ended", "detail"}, rows)
}

func (p *page) waves(waves []api.WaveStatus) {
	var rows [][]string
	for _, w := range waves {
		check := ""
		if w.Check != nil {
			check = fmt.Sprintf("%d messages on the source, %d on the target, lag %d, %d members left",
				w.Check.SourcePuts, w.Check.TargetPuts, w.Check.Lag, w.Check.MembersLeft)
			check += byHomes(w.Check)
			if past := w.Check.Past.String(); past != "" {
				check += ", " + past
			}
		}
		rows = append(rows,
			[]string{fmt.Sprintf("%d %%", w.Step), w.State, everyName(w.Topics), everyName(w.Groups), check})
	}
	p.table("Waves", []string{"step", "state", "topics", "groups", "check"}, rows)
}

func (p *page) approvals(approvals []api.Approval) {
	var rows [][]string
	for _, a := range approvals {
		rows = append(rows, []string{a.Gate, a.By, when(&a.At), a.Reason, a.Evidence})
	}
	p.table("Approvals", []string{"gate", "by", "at", "reason", "evidence"}, rows)
}

// said is what persons told running lanes.
func (p *page) said(answers []api.LaneAnswer, rates []api.RateChange) {
	var rows [][]string
	for _, a := range answers {
		rows = append(rows, []string{a.Answer.String(), a.By, when(&a.At), a.Reason})
	}
	p.table("Answers to faults of lanes", []string{"answer", "by", "at", "reason"}, rows)
	rows = nil
	for _, c := range rates {
		of := c.Topic
		if of == "" {
			of = "all topics"
		}
		rows = append(rows, []string{of, c.Rate.String(), c.By, when(&c.At), c.Reason})
	}
	p.table("Rates of lanes", []string{"of", "rate", "by", "at", "reason"}, rows)
}

func (p *page) verification(v *api.Verification) {
	if v == nil {
		return
	}
	p.table(
		"Verification",
		[]string{
			"lanes",
			"compared",
			"natives",
			"missing",
			"skipped",
			"extra",
			"altered",
			"out of order",
			"measured",
		},
		[][]string{{
			fmt.Sprint(v.Lanes), fmt.Sprint(v.Compared), fmt.Sprint(v.Natives), fmt.Sprint(v.Missing),
			fmt.Sprint(v.Skipped), fmt.Sprint(v.Extra), fmt.Sprint(v.Altered), fmt.Sprint(v.OutOfOrder),
			when(&v.Measured),
		}},
	)
	p.bullets(v.Examples)
	for _, b := range v.FromSlaves {
		p.bullets([]string{"read from a slave, as there is no master: " + b + "; what that had besides isn't known"})
	}
	p.bullets(v.Lost)
	for _, b := range v.LeftOut {
		p.bullets([]string{"left out by the plan: " + b + "; nothing is said of what it holds"})
	}
}

func (p *page) ledger(l *api.Ledger) {
	if l == nil {
		return
	}
	var rows [][]string
	for _, r := range l.Rows.First() {
		rows = append(rows, []string{r.Kind, r.Object, fmt.Sprint(r.Rest), r.Detail})
	}
	p.table(fmt.Sprintf("Ledger: rest %d, measured %s", l.Rest, when(&l.Measured)),
		[]string{"kind", "object", "rest", "detail"}, rows)
	rows = nil
	for _, r := range l.Stragglers.First() {
		rows = append(rows, []string{r.Object, fmt.Sprint(r.Rest), r.Detail})
	}
	p.table("Written on the source after its producers had left", []string{"object", "messages", "detail"}, rows)
	rows = nil
	for _, r := range l.Drift.First() {
		rows = append(rows, []string{r.Object, r.Detail})
	}
	p.table("Otherwise on the target than on the source", []string{"object", "detail"}, rows)
	p.elsewhere(l.Rows.Document())
	p.elsewhere(l.Stragglers.Document())
	p.elsewhere(l.Drift.Document())
}

func (p *page) inventory(i *api.InventorySummary) {
	if i == nil {
		return
	}
	p.line("\n## Source\n")
	p.line("RocketMQ %s, %d brokers, %d topics with %d queues and %d messages, %d groups.",
		text(i.SourceVersion), i.Brokers, i.Topics, i.Queues, i.Messages, i.Groups)
	p.findings("Findings", i.Findings)
}

// configured says what ImportMetadata saw of brokers that are configured otherwise.
func (p *page) configured(diff *api.MetadataDiff) {
	if diff != nil {
		p.findings("Brokers' settings", diff.Warnings)
		p.findings("Changed on the target, as the plan decides", diff.Changes)
		p.findings("Kept on the target, as the plan decides", diff.Kept)
	}
}

func (p *page) findings(title string, all api.List[api.Finding]) {
	var rows [][]string
	for _, f := range all.First() {
		rows = append(rows, []string{string(f.Level()), f.Object, f.Cause, f.Next})
	}
	p.table(title, []string{"kind", "object", "cause", "next"}, rows)
	p.elsewhere(all.Document())
}

// mostInCell is how many names a cell of the page lists; the JSON report lists all.
const mostInCell = 50

// everyName lists names; of many, or of a list whose document couldn't be read, the first ones and
// their number.
func everyName(names api.Names) string {
	if all, inline := names.Inline(); inline && len(all) <= mostInCell {
		return strings.Join(all, ", ")
	}
	return api.Short(names)
}

// elsewhere says where the rest of a table is that couldn't be read when the page was written.
func (p *page) elsewhere(ref *api.Reference) {
	if ref != nil {
		p.line("\nThe rest is in document %s of the workers' store.", text(ref.String()))
	}
}

// LostKey is the key of a report's JSON that names documents which the store had lost when the
// report was written.
const LostKey = "lostDocuments"

// lost names what nobody can read any more.
func (p *page) lost(status []byte) {
	var d struct {
		Lost []string `json:"lostDocuments"`
	}
	if json.Unmarshal(status, &d) == nil && len(d.Lost) > 0 {
		p.line(
			"\n## Lost\n\nThe workers' store has lost these documents, so that their rows aren't in this report. Counts are.",
		)
		p.bullets(d.Lost)
	}
}

func (p *page) notes(notes []string) {
	if len(notes) > 0 {
		p.line("\n## Notes")
		p.bullets(notes)
	}
}

func (p *page) bullets(lines []string) {
	if len(lines) > 0 {
		p.line("")
	}
	for _, l := range lines {
		p.line("- %s", text(l))
	}
}

func (p *page) table(title string, columns []string, rows [][]string) {
	if len(rows) == 0 {
		return
	}
	p.line("\n## %s\n", title)
	p.line("| %s |", strings.Join(columns, " | "))
	p.line("|%s", strings.Repeat(" --- |", len(columns)))
	for _, row := range rows {
		for i := range row {
			row[i] = text(row[i])
		}
		p.line("| %s |", strings.Join(row, " | "))
	}
}

// text keeps what people, clients and brokers named on one line of the page, and as text.
func text(s string) string { return printable.Markdown(s) }

func when(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// byHomes says how messages went as the homes of their queues ask; empty of checks without homes.
func byHomes(c *api.WaveCheck) string {
	if c.Since.IsZero() {
		return ""
	}
	text := fmt.Sprintf(", %.1f %% on the target where the homes ask for %.1f %%, counted from %s on",
		c.Share, c.Want, when(&c.Since))
	if c.Doubt != "" {
		text += ", in doubt: " + c.Doubt
	}
	return text
}
