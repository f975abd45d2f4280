package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"rocketshift/internal/failure"
	"rocketshift/internal/lab"
	"rocketshift/internal/printable"
	"rocketshift/starter/page"
	"rocketshift/starter/remote"
)

func (a *app) doctorCommand() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check what a migration needs: Temporal, namespace, workers, Java", Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.doctor(c.Context()) },
	}
}

func (a *app) doctor(ctx context.Context) error {
	checks := append(a.checkTemporal(ctx), checkPrograms())
	for _, c := range checks {
		if c.Result == remote.CheckFailed {
			a.code = failure.Failed
		}
	}
	if a.json() {
		a.document(struct {
			Checks   []remote.Check `json:"checks"`
			ExitCode int            `json:"exitCode"`
		}{checks, a.code})
		return nil
	}
	checks = printable.All(checks, printable.Text)
	colours := map[string]page.Colour{
		remote.CheckOK: page.Green, remote.CheckWarning: page.Yellow, remote.CheckFailed: page.Red,
	}
	t := page.NewTable("check", "result", "detail")
	for _, c := range checks {
		t.AppendRow(table.Row{c.Name, a.page().Paint(colours[c.Result], c.Result), c.Detail})
	}
	a.picture(t.Render())
	for _, c := range checks {
		if c.Next != "" {
			a.say("%s: %s", c.Name, c.Next)
		}
	}
	return nil
}

func (a *app) checkTemporal(ctx context.Context) []remote.Check {
	s, err := a.connect(ctx)
	if err != nil {
		c := remote.Check{Name: "temporal", Result: remote.CheckFailed, Detail: err.Error()}
		var f *failure.Error
		if errors.As(err, &f) {
			c.Detail, c.Next = f.Cause.Error(), f.Next
		}
		return []remote.Check{c}
	}
	defer s.Close()
	limited, cancel := a.within(ctx)
	defer cancel()
	return s.Check(limited)
}

// checkPrograms looks for what a target of provider local needs on the worker's machine, which may
// be another one.
func checkPrograms() remote.Check {
	c := remote.Check{Name: "local target", Result: remote.CheckOK}
	root, err := lab.Root()
	if err == nil {
		var files lab.Files
		if files, err = lab.FindFiles(root); err == nil {
			c.Detail = fmt.Sprintf("%s, jars in %s", files.Java, files.Jars)
			return c
		}
	}
	c.Result, c.Detail, c.Next = remote.CheckWarning, err.Error(), "only plans with provider: local need it, on the "+
		"worker's machine"
	return c
}
