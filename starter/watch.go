package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"golang.org/x/term"

	"rocketshift/internal/printable"
	"rocketshift/starter/page"
	"rocketshift/starter/remote"
)

// watch shows the status until the end: one table redrawn on a terminal, changed lines elsewhere,
// one document per change in JSON mode.
func (a *app) watch(ctx context.Context, s remote.Service, id, wait string) error {
	show := a.changes(a.stdout).Show
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
	last, err := a.follow(ctx, s, id, show, func(s remote.Snapshot) bool { return ended(s, wait) })
	a.code = last.ExitCode
	return err
}

// documents prints a document when something changed.
func (a *app) documents() func(remote.Snapshot, error) {
	var before remote.Snapshot
	return func(s remote.Snapshot, err error) {
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
func (a *app) redraw() func(remote.Snapshot, error) {
	fmt.Fprint(a.stdout, "\x1b[2J")
	return func(s remote.Snapshot, err error) {
		found, asked := a.page().PicturesOf(s)
		if err != nil {
			asked += a.page().Paint(page.Red, "Away       ") + printable.Text(err.Error())
		}
		width, _ := a.screen()
		lines := page.Frame(found, asked, width, a.height())
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

func (a *app) changes(out io.Writer) *page.Changes { return page.NewChanges(out, a.now) }
