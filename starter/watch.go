package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"
	"time"

	"golang.org/x/term"

	"rocketshift/internal/printable"
)

// watch shows the status until the end: one table redrawn on a terminal, changed lines elsewhere,
// one document per change in JSON mode.
func (a *app) watch(ctx context.Context, s service, id, wait string) error {
	show := a.changes(a.stdout).show
	_, terminal := a.screen()
	switch {
	case a.json():
		show = a.documents()
	case terminal:
		show = a.redraw()
	}
	if wait == "" {
		wait = waitEnd
	}
	last, err := a.follow(ctx, s, id, show, func(s snapshot) bool { return ended(s, wait) })
	a.code = last.ExitCode
	return err
}

// documents prints a document when something changed.
func (a *app) documents() func(snapshot, error) {
	var before snapshot
	return func(s snapshot, err error) {
		if err != nil {
			a.warn("%s", err)
			return
		}
		if !reflect.DeepEqual(before, s) {
			before = s
			a.document(s)
		}
	}
}

// redraw writes over the last picture line by line, without a blank moment in between.
func (a *app) redraw() func(snapshot, error) {
	fmt.Fprint(a.stdout, "\x1b[2J")
	return func(s snapshot, err error) {
		found, asked := a.picturesOf(s)
		if err != nil {
			asked += a.paint(red, "Away       ") + printable.Text(err.Error())
		}
		width, _ := a.screen()
		lines := frame(found, asked, width, a.height())
		fmt.Fprint(a.stdout, "\x1b[H"+strings.Join(lines, "\x1b[K\n")+"\x1b[K\x1b[J\n")
	}
}

// height is how many lines fit, leaving one for the cursor.
func (a *app) height() int {
	const unknown = 1000
	if f, ok := a.stdout.(*os.File); ok {
		if _, height, err := term.GetSize(int(f.Fd())); err == nil && height > 2 {
			return height - 1
		}
	}
	return unknown
}

// changes prints facts when they change: for logs of pipelines.
type changes struct {
	out     io.Writer
	now     func() time.Time
	shown   map[string]string
	printed map[string]time.Time
}

func (a *app) changes(out io.Writer) *changes {
	return &changes{out: out, now: a.now, shown: map[string]string{}, printed: map[string]time.Time{}}
}

func (c *changes) show(s snapshot, err error) {
	facts := factsOf(onOneLine(s))
	if err != nil {
		facts = []fact{{key: "away", text: err.Error()}}
	} else {
		delete(c.shown, "away")
	}
	c.print(facts)
}

// print prints the facts that are new and due.
func (c *changes) print(facts []fact) {
	at := c.now()
	for _, f := range facts {
		if c.shown[f.key] == f.text || at.Sub(c.printed[f.key]) < f.pause {
			continue
		}
		c.shown[f.key], c.printed[f.key] = f.text, at
		fmt.Fprintf(c.out, "%s %s\n", at.Format(time.TimeOnly), printable.Text(f.text))
	}
}
