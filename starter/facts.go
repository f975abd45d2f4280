package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/printable"
	"rocketshift/replicator/lane"
)

// numbersPause keeps numbers that change with every look from filling a log.
const numbersPause = 10 * time.Second

// fact is one line of a status. Its key stays when its text changes.
type fact struct {
	key   string
	text  string
	pause time.Duration // least time between two lines with this key
}

// factsOf is the status as lines, in the order in which things happen.
func factsOf(s snapshot) []fact {
	if s.WorkflowID == "" {
		return nil
	}
	facts := []fact{{key: "state", text: fmt.Sprintf("%s: %s", s.WorkflowID, s.State)}}
	for _, stage := range s.Stages {
		if stage.State != api.StagePending {
			facts = append(facts, fact{key: "stage " + stage.Name, text: "stage " + stage.Name + ": " + stage.State})
		}
		if stage.Detail != "" {
			facts = append(facts, fact{
				key:   "detail " + stage.Name,
				text:  "stage " + stage.Name + ": " + stage.Detail,
				pause: pauseOf(stage.Detail),
			})
		}
	}
	for _, w := range s.Waves {
		if w.State != api.StagePending {
			facts = append(facts,
				fact{key: fmt.Sprint("wave ", w.Step), text: fmt.Sprintf("step %d%%: %s", w.Step, w.State)})
		}
	}
	if lag := lagOf(s); lag != "" {
		facts = append(facts, fact{key: "lag", text: "lag: " + lag, pause: numbersPause})
	}
	if comparing := comparingOf(s); comparing != "" {
		facts = append(facts, fact{key: "comparing", text: "comparing: " + comparing, pause: numbersPause})
	}
	for _, f := range faultsOf(s) {
		facts = append(facts, fact{key: "fault " + f, text: "fault: " + f})
	}
	for _, stray := range stragglersOf(s) {
		facts = append(facts, fact{
			key:   fmt.Sprint("straggler ", stray.Side, stray.Topic, stray.Broker, stray.Queue),
			text:  "straggler: " + stray.String(),
			pause: numbersPause,
		})
	}
	if s.Sync != nil && s.Sync.Past.String() != "" {
		facts = append(facts, fact{key: "past", text: "past: " + s.Sync.Past.String(), pause: numbersPause})
	}
	for _, b := range s.Blocked {
		facts = append(facts,
			fact{key: "blocked " + b.WorkflowID + b.Activity, text: b.Activity + ": " + b.Cause, pause: numbersPause})
	}
	for _, w := range s.Waiting {
		text := fmt.Sprintf("waiting for %s %s: %s", w.Kind, w.Gate, w.Text)
		if next := api.NextCommand(s.Status, w); next != "" {
			text += "; next: " + next
		}
		facts = append(facts, fact{key: "waiting " + w.WorkflowID + w.Gate, text: text})
	}
	for _, note := range s.Notes {
		facts = append(facts, fact{key: "note " + note, text: "note: " + note})
	}
	return append(facts, closing(s)...)
}

// closing are the lines of a migration that ended.
func closing(s snapshot) []fact {
	var facts []fact
	if s.Error != "" {
		facts = append(facts, fact{key: "error", text: "error: " + s.Error})
	}
	if s.Report != "" {
		facts = append(facts, fact{key: "report", text: "report: " + s.Report})
	}
	return facts
}

// pauseOf lets a detail without digits through at once, and slows one that counts.
func pauseOf(detail string) time.Duration {
	if strings.ContainsAny(detail, "0123456789") {
		return numbersPause
	}
	return 0
}

// lagOf sums the heartbeats of the data plane: empty without any.
func lagOf(s snapshot) string {
	var parts []string
	if len(s.Replication) > 0 {
		var there, back lane.Progress
		for _, r := range s.Replication {
			there = added(there, r.Progress)
			if r.Back != nil {
				back = added(back, *r.Back)
			}
		}
		parts = append(parts, wayOf(there))
		if back.Lanes > 0 {
			parts = append(parts, "back to the source "+wayOf(back))
		}
	}
	if s.Sync != nil && s.Sync.Groups == 0 && s.Sync.Skipped > 0 {
		parts = append(parts, fmt.Sprintf("positions of %d groups are kept by gateways or moves",
			s.Sync.Skipped))
	} else if s.Sync != nil {
		parts = append(parts, fmt.Sprintf("positions of %d groups in sync", s.Sync.Groups))
	}
	return strings.Join(parts, "; ")
}

func added(sum, p lane.Progress) lane.Progress {
	return lane.Progress{
		Lanes:    sum.Lanes + p.Lanes,
		CaughtUp: sum.CaughtUp + p.CaughtUp,
		Lag:      sum.Lag + p.Lag,
		Copied:   sum.Copied + p.Copied,
	}
}

func wayOf(p lane.Progress) string {
	return fmt.Sprintf("%s messages behind, %d of %d lanes caught up, %s copied", printable.Grouped(p.Lag),
		p.CaughtUp, p.Lanes, printable.Grouped(p.Copied))
}

// comparingOf is how far Verify is: empty unless it runs.
func comparingOf(s snapshot) string {
	c := s.Comparing
	if c == nil || c.Messages == 0 {
		return ""
	}
	text := fmt.Sprintf("%s of %s messages, %s a second", printable.Grouped(c.Read),
		printable.Grouped(c.Messages), printable.Grouped(c.PerSecond))
	if c.Left != "" {
		text += ", " + c.Left + " left"
	}
	return text
}

// faultsOf are what the data plane waits for, and lanes that stopped, each with the next action.
func faultsOf(s snapshot) []string {
	var out []string
	var ways []lane.Progress
	for _, r := range s.Replication {
		ways = append(ways, r.Progress)
		if r.Back != nil {
			ways = append(ways, *r.Back)
		}
	}
	for _, p := range ways {
		if p.Waiting != "" {
			out = append(out, p.Waiting)
		}
		for _, f := range p.Faults {
			out = append(
				out,
				fmt.Sprintf("%s: topic %s, broker %s, queue %d, offsets %d to %d: %s; %s", f.Type, f.Topic,
					f.Broker, f.Queue, f.From, f.To, f.Cause, f.Next),
			)
		}
	}
	if s.Sync != nil && s.Sync.Waiting != "" {
		out = append(out, s.Sync.Waiting)
	}
	return out
}

// maxStrays is how many stragglers a status names: rocketshift lanes has all.
const maxStrays = 5

// stragglersOf are the busiest applications that write on the side that they should have left.
func stragglersOf(s snapshot) []lane.Straggler {
	var all []lane.Straggler
	for _, r := range s.Replication {
		all = append(all, r.Stragglers...)
		if r.Back != nil {
			all = append(all, r.Back.Stragglers...)
		}
	}
	lane.BusiestFirst(all)
	return all[:min(len(all), maxStrays)]
}

// onOneLine is the status with errors and details on one line each, for rows and cells. What others
// name keeps its escapes.
func onOneLine(s snapshot) snapshot {
	s.Error, s.Detail = joined.Replace(s.Error), joined.Replace(s.Detail)
	s.Stages, s.Blocked = slices.Clone(s.Stages), slices.Clone(s.Blocked)
	for i := range s.Stages {
		s.Stages[i].Detail = joined.Replace(s.Stages[i].Detail)
	}
	for i := range s.Blocked {
		s.Blocked[i].Cause = joined.Replace(s.Blocked[i].Cause)
	}
	return s
}

// short keeps a cell on one line; the whole text is in -o json.
func short(text string) string {
	const limit = 100
	if r := []rune(text); len(r) > limit {
		return string(r[:limit]) + "..."
	}
	return text
}

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}
