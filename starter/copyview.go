package main

import (
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
	"github.com/jedib0t/go-pretty/v6/text"

	"rocketshift/internal/copyjob"
	"rocketshift/internal/printable"
	"rocketshift/starter/page"
)

// copyView shows states: a bar on a terminal, lines elsewhere, documents in JSON mode.
type copyView struct {
	show func(copyjob.State)
	end  func()
}

// linesPause keeps a log readable.
const linesPause = 5 * time.Second

func (a *app) copyView() copyView {
	width, terminal := a.screen()
	switch {
	case a.json():
		return copyView{func(s copyjob.State) { a.document(s) }, func() {}}
	case terminal:
		return a.bar(width)
	}
	c := a.changes(a.stdout)
	return copyView{func(s copyjob.State) { c.Print(factsOfCopy(s)) }, func() {}}
}

// factsOfCopy are the state's lines.
func factsOfCopy(s copyjob.State) []page.Fact {
	facts := []page.Fact{{Key: s.Doing, Text: s.String(), Pause: linesPause}}
	if s.Waiting != "" {
		facts = append(facts, page.Fact{Key: "waiting", Text: "waiting: " + s.Waiting, Pause: linesPause})
	}
	for _, f := range s.Faults {
		facts = append(facts, page.Fact{Key: f.Text, Text: "fault: " + f.Text})
	}
	return facts
}

// bar is drawn by go-pretty, which the tables are made with already: no further module, 150 KB; mpb
// brings five modules and 280 KB, progressbar three and 2 MB.
func (a *app) bar(width int) copyView {
	w := progress.NewWriter()
	w.SetOutputWriter(a.stdout)
	w.SetTerminalWidth(width)
	w.SetTrackerLength(min(60, max(10, width-20)))
	w.Style().Visibility = progress.StyleVisibility{Percentage: true, Pinned: true, Tracker: true}
	t := &progress.Tracker{Message: copyjob.DoingCopy, AutoStopDisabled: true}
	w.AppendTracker(t)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.Render()
	}()
	told := map[string]bool{}
	show := func(s copyjob.State) {
		s = printable.All(s, printable.Text)
		done, total := s.Done()
		t.UpdateMessage(s.Doing)
		t.UpdateTotal(total)
		t.SetValue(done)
		pinned := wrapped(s.String(), width)
		if s.Waiting != "" {
			for _, line := range wrapped("waiting: "+s.Waiting, width) {
				pinned = append(pinned, a.page().Paint(page.Yellow, line))
			}
		}
		w.SetPinnedMessages(pinned...)
		for _, f := range s.Faults {
			if !told[f.Text] {
				told[f.Text] = true
				w.Log("%s", a.page().Paint(page.Red, "fault: "+f.Text))
			}
		}
	}
	return copyView{show, func() { stopBar(w, ended) }}
}

// wrapped breaks a line where the screen ends.
func wrapped(line string, width int) []string { return strings.Split(text.WrapSoft(line, width), "\n") }

// stopBar draws the last state. A bar that has just begun doesn't hear the first calls to stop.
func stopBar(w progress.Writer, ended <-chan struct{}) {
	again := time.NewTicker(progress.DefaultUpdateFrequency)
	defer again.Stop()
	for {
		w.Stop()
		select {
		case <-ended:
			return
		case <-again.C:
		}
	}
}
