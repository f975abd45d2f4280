package page

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"rocketshift/api"
	"rocketshift/internal/printable"
	"rocketshift/replicator/lane"
	"rocketshift/starter/remote"
)

// numbersPause keeps numbers that change with every look from filling a log.
const numbersPause = 10 * time.Second

// Fact is one line of a status. Its key stays when its text changes.
type Fact struct {
	Key   string
	Text  string
	Pause time.Duration // least time between two lines with this key
}

// factsOf is the status as lines, in the order in which things happen.
func factsOf(s remote.Snapshot) []Fact {
	if s.WorkflowID == "" {
		return nil
	}
	facts := []Fact{{Key: "state", Text: fmt.Sprintf("%s: %s", s.WorkflowID, s.State)}}
	for _, stage := range s.Stages {
		if stage.State != api.StagePending {
			facts = append(facts, Fact{Key: "stage " + stage.Name, Text: "stage " + stage.Name + ": " + stage.State})
		}
		if stage.Detail != "" {
			facts = append(facts, Fact{
				Key:   "detail " + stage.Name,
				Text:  "stage " + stage.Name + ": " + stage.Detail,
				Pause: pauseOf(stage.Detail),
			})
		}
	}
	for _, w := range s.Waves {
		if w.State != api.StagePending {
			facts = append(facts,
				Fact{Key: fmt.Sprint("wave ", w.Step), Text: fmt.Sprintf("step %d%%: %s", w.Step, w.State)})
		}
	}
	if lag := lagOf(s); lag != "" {
		facts = append(facts, Fact{Key: "lag", Text: "lag: " + lag, Pause: numbersPause})
	}
	if comparing := comparingOf(s); comparing != "" {
		facts = append(facts, Fact{Key: "comparing", Text: "comparing: " + comparing, Pause: numbersPause})
	}
	for _, f := range faultsOf(s) {
		facts = append(facts, Fact{Key: "fault " + f, Text: "fault: " + f})
	}
	for _, stray := range stragglersOf(s) {
		facts = append(facts, Fact{
			Key:   fmt.Sprint("straggler ", stray.Side, stray.Topic, stray.Broker, stray.Queue),
			Text:  "straggler: " + stray.String(),
			Pause: numbersPause,
		})
	}
	if s.Sync != nil && s.Sync.Past.String() != "" {
		facts = append(facts, Fact{Key: "past", Text: "past: " + s.Sync.Past.String(), Pause: numbersPause})
	}
	for _, b := range s.Blocked {
		facts = append(facts,
			Fact{Key: "blocked " + b.WorkflowID + b.Activity, Text: b.Activity + ": " + b.Cause, Pause: numbersPause})
	}
	for _, w := range s.Waiting {
		text := fmt.Sprintf("waiting for %s %s: %s", w.Kind, w.Gate, w.Text)
		if next := api.NextCommand(s.Status, w); next != "" {
			text += "; next: " + next
		}
		facts = append(facts, Fact{Key: "waiting " + w.WorkflowID + w.Gate, Text: text})
	}
	for _, note := range s.Notes {
		facts = append(facts, Fact{Key: "note " + note, Text: "note: " + note})
	}
	return append(facts, closing(s)...)
}

// closing are the lines of a migration that ended.
func closing(s remote.Snapshot) []Fact {
	var facts []Fact
	if s.Error != "" {
		facts = append(facts, Fact{Key: "error", Text: "error: " + s.Error})
	}
	if s.Report != "" {
		facts = append(facts, Fact{Key: "report", Text: "report: " + s.Report})
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
func lagOf(s remote.Snapshot) string {
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
func comparingOf(s remote.Snapshot) string {
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
func faultsOf(s remote.Snapshot) []string {
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

// MaxStrays is how many stragglers a status names: rocketshift lanes has all.
const MaxStrays = 5

// stragglersOf are the busiest applications that write on the side that they should have left.
func stragglersOf(s remote.Snapshot) []lane.Straggler {
	var all []lane.Straggler
	for _, r := range s.Replication {
		all = append(all, r.Stragglers...)
		if r.Back != nil {
			all = append(all, r.Back.Stragglers...)
		}
	}
	lane.BusiestFirst(all)
	return all[:min(len(all), MaxStrays)]
}

// onOneLine is the status with errors and details on one line each, for rows and cells. What others
// name keeps its escapes.
func onOneLine(s remote.Snapshot) remote.Snapshot {
	s.Error, s.Detail = Joined.Replace(s.Error), Joined.Replace(s.Detail)
	s.Stages, s.Blocked = slices.Clone(s.Stages), slices.Clone(s.Blocked)
	for i := range s.Stages {
		s.Stages[i].Detail = Joined.Replace(s.Stages[i].Detail)
	}
	for i := range s.Blocked {
		s.Blocked[i].Cause = Joined.Replace(s.Blocked[i].Cause)
	}
	return s
}

// Short keeps a cell on one line; the whole text is in -o json.
func Short(text string) string {
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
