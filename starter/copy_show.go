package main

import (
	"fmt"
	"strings"
	"time"
)

// showVerdict prints how the copy ended.
func (a *app) showVerdict(v copyVerdict) {
	if a.json() {
		a.document(v)
		return
	}
	row := func(title, format string, args ...any) { a.say("%-10s %s", title, fmt.Sprintf(format, args...)) }
	took := time.Duration(v.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
	row("Copied", "%s messages in %d lanes, %s", grouped(v.Copied), v.Lanes, took)
	if v.Back != nil {
		row("Back", "%s messages copied to the source, %s left", grouped(v.Back.Copied), grouped(v.Back.Lag))
	}
	compared := v.Verdict != verdictStopped && v.Verdict != verdictInterrupted
	if compared {
		copies := grouped(v.Compared) + " copies"
		if v.Back != nil {
			copies += ", " + grouped(v.Back.Compared) + " back on the source"
		}
		row("Compared", "%s: %d missing, %d extra, %d altered, %d out of order", copies, v.Missing, v.Extra, v.Altered, v.OutOfOrder)
	} else {
		row("Left", "%s messages", grouped(v.Lag))
	}
	if v.Natives > 0 {
		row("Natives", "%s messages on the target were written there by applications; no difference", grouped(v.Natives))
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
		row("Differs", "topic %s, from queue %s to queue %s: %s", r.Topic, r.Source, r.Target, a.paint(red, strings.Join(r.Examples, "; ")))
	}
	for _, f := range v.Faults {
		row("Fault", "%s", a.paint(red, f.Text))
	}
	paint := red
	if v.ExitCode == exitDone {
		paint = green
	}
	row("Verdict", "%s", a.paint(paint, v.Verdict))
	if v.Next != "" {
		row("Next", "%s", v.Next)
	}
}
