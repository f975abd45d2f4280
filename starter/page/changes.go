package page

import (
	"fmt"
	"io"
	"time"

	"rocketshift/internal/printable"
	"rocketshift/starter/remote"
)

// Changes prints facts when they change: for logs of pipelines.
type Changes struct {
	out     io.Writer
	now     func() time.Time
	shown   map[string]string
	printed map[string]time.Time
}

// NewChanges prints facts by the time that now tells.
func NewChanges(out io.Writer, now func() time.Time) *Changes {
	return &Changes{out: out, now: now, shown: map[string]string{}, printed: map[string]time.Time{}}
}

// Show prints what has changed of a status, or why it can\'t be seen.
func (c *Changes) Show(s remote.Snapshot, err error) {
	facts := factsOf(onOneLine(s))
	if err != nil {
		facts = []Fact{{Key: "away", Text: err.Error()}}
	} else {
		delete(c.shown, "away")
	}
	c.Print(facts)
}

// Print prints the facts that are new and due.
func (c *Changes) Print(facts []Fact) {
	at := c.now()
	for _, f := range facts {
		if c.shown[f.Key] == f.Text || at.Sub(c.printed[f.Key]) < f.Pause {
			continue
		}
		c.shown[f.Key], c.printed[f.Key] = f.Text, at
		fmt.Fprintf(c.out, "%s %s\n", at.Format(time.TimeOnly), printable.Text(f.Text))
	}
}
