package assess

import (
	"cmp"
	"fmt"
	"time"

	"rocketshift/api"
	"rocketshift/internal/printable"
)

// Section is one kind of recommendations, for people.
type Section struct {
	Title string
	Rows  []Row
}

// Row is one recommendation: what is advised for an object, and why.
type Row struct{ Object, What, Why string }

// Sections are the recommendations as people read them.
func (r Report) Sections() []Section {
	of := r.Recommended
	if of == nil {
		return nil
	}
	topics, groups, waves := Section{Title: "Topics"}, Section{Title: "Groups"}, Section{Title: "Waves"}
	for _, t := range of.Topics {
		topics.Rows = append(topics.Rows, Row{t.Name, fmt.Sprintf("%s, %d queues", t.Type, t.Queues), t.Why})
	}
	for _, g := range of.Groups {
		how := "concurrent"
		if g.Orderly {
			how = "in order"
		}
		groups.Rows = append(groups.Rows, Row{g.Name, fmt.Sprintf("%s, %d retries", how, g.MaxRetries), g.Why})
	}
	for i, w := range of.Waves {
		what := fmt.Sprintf("%s (%s)", printable.Counted(len(w.Topics), "topic"), printable.Listed(w.Topics))
		if len(w.Groups) > 0 {
			what += fmt.Sprintf(", %s (%s)", printable.Counted(len(w.Groups), "group"), printable.Listed(w.Groups))
		}
		waves.Rows = append(waves.Rows, Row{fmt.Sprintf("wave %d", i+1), what, w.Why})
	}
	sections := []Section{{Title: "Target", Rows: targetRows(*of)}, topics, groups, waves}
	var filled []Section
	for _, s := range sections {
		if len(s.Rows) > 0 {
			filled = append(filled, s)
		}
	}
	return filled
}

func targetRows(of api.Recommended) []Row {
	s := of.Size
	return []Row{
		{
			"size", fmt.Sprintf("%.0f sends/s and %.0f receives/s (%.0f and %.0f units of 4 KiB), %d topics, %d "+
				"groups, %d queues", s.Sends, s.Receives, s.SendUnits, s.ReceiveUnits, s.Topics, s.Groups, s.Queues), s.Why,
		},
		{
			"quotas", fmt.Sprintf("%d topics, %d groups, %d clients, %.0f messages/s (sends and receives)", s.Topics, s.Groups,
				s.Clients, s.Sends+s.Receives),
			"what a managed instance must allow, beside what else it serves; RocketMQ's own brokers bound none of it",
		},
		{"delay", cmp.Or(delay(s.MaxDelay), "none seen"), "the target must take delays of that length"},
		{"traffic.mode", of.Traffic.Mode, of.Traffic.Why},
	}
}

func delay(d time.Duration) string {
	if d <= 0 {
		return ""
	}
	return "up to " + d.String()
}
