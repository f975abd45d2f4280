package main

import (
	"fmt"
	"strings"
	"time"

	"rocketshift/internal/copyjob"
	"rocketshift/internal/failure"
	"rocketshift/internal/printable"
	"rocketshift/starter/page"
)

// showVerdict prints how the copy ended.
func (a *app) showVerdict(v copyjob.Verdict) {
	if a.json() {
		a.document(v)
		return
	}
	row := func(title, format string, args ...any) { a.say("%-10s %s", title, fmt.Sprintf(format, args...)) }
	took := time.Duration(v.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	row("Copied", "%s messages in %d lanes, %s", printable.Grouped(v.Copied), v.Lanes, took)
	if v.Back != nil {
		row("Back", "%s messages copied to the source, %s left", printable.Grouped(v.Back.Copied),
			printable.Grouped(v.Back.Lag))
	}
	compared := v.Verdict != copyjob.VerdictStopped && v.Verdict != copyjob.VerdictInterrupted
	if compared {
		copies := printable.Grouped(v.Compared) + " copies"
		if v.Back != nil {
			copies += ", " + printable.Grouped(v.Back.Compared) + " back on the source"
		}
		row("Compared", "%s: %d missing, %d extra, %d altered, %d out of order", copies, v.Missing, v.Extra,
			v.Altered, v.OutOfOrder)
	} else {
		row("Left", "%s messages", printable.Grouped(v.Lag))
	}
	if v.Natives > 0 {
		row("Natives", "%s messages on the target were written there by applications; no difference",
			printable.Grouped(v.Natives))
	}
	if len(v.FromSlaves) > 0 {
		row("Slaves",
			"%s read from a slave: what the master had besides isn't known; run it again when it is up",
			strings.Join(v.FromSlaves, ", "))
	}
	for _, one := range v.NotSeen {
		row("Not seen", "%s", one)
	}
	for _, r := range v.Differences {
		row("Differs", "topic %s, from queue %s to queue %s: %s", r.Topic, r.Source, r.Target,
			a.page().Paint(page.Red, strings.Join(r.Examples, "; ")))
	}
	for _, f := range v.Faults {
		row("Fault", "%s", a.page().Paint(page.Red, f.Text))
	}
	paint := page.Red
	if v.ExitCode == failure.Done {
		paint = page.Green
	}
	row("Verdict", "%s", a.page().Paint(paint, v.Verdict))
	if v.Next != "" {
		row("Next", "%s", v.Next)
	}
}
