package main

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

func (a *app) statusCommand() *cobra.Command {
	var watch bool
	var wait string
	c := &cobra.Command{
		Use: "status NAME", Short: "Show what a migration does and waits for, with the command that answers", Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			id, err := a.workflowID(args[0])
			if err == nil {
				err = checkWait(wait)
			}
			if err != nil {
				return err
			}
			return a.withService(c.Context(), func(s remote.Service) error {
				switch {
				case watch:
					return a.watch(c.Context(), s, id, wait)
				case wait != "":
					return a.waitAndShow(c.Context(), s, id, wait)
				}
				return a.status(c.Context(), s, id)
			})
		},
	}
	c.Flags().BoolVarP(&watch, "watch", "w", false, "go on showing it, about once a second, until it ended")
	waitFlag(c, &wait)
	a.stageFlag(c)
	return c
}

func (a *app) status(ctx context.Context, s remote.Service, id string) error {
	snap, err := a.look(ctx, s, id)
	if err != nil {
		return err
	}
	a.show(snap)
	return nil
}

// show prints a snapshot and makes its state the exit code.
func (a *app) show(snap remote.Snapshot) {
	a.code = snap.ExitCode
	if a.json() {
		a.document(snap)
		return
	}
	a.picture(a.page().Table(snap))
}

// look takes one snapshot, with what the commands add to it.
func (a *app) look(ctx context.Context, s remote.Service, id string) (remote.Snapshot, error) {
	limited, cancel := a.within(ctx)
	defer cancel()
	snap, err := s.Snapshot(limited, id)
	switch {
	case ctx.Err() != nil:
		return snap, ctx.Err()
	case errors.Is(err, remote.ErrNotFound):
		return snap, remote.NotFound(id)
	case errors.Is(err, remote.ErrNoWorker):
		return snap, &failure.Error{
			Code:  failure.Failed,
			Next:  "start bin/rocketshift-worker, or see rocketshift doctor",
			Cause: err,
		}
	case err != nil:
		return snap, err
	}
	return complete(snap), nil
}

// complete adds the next commands and the exit code. The workflow calls a hold a thing that it
// waits for; people call it held.
func complete(s remote.Snapshot) remote.Snapshot {
	for _, w := range s.Waiting {
		if w.Gate == api.ResumeName && s.State == api.StateWaiting {
			s.State = api.StateHeld
		}
		for _, command := range api.NextCommands(s.Status, w) {
			if s.WorkflowID != plan.WorkflowID(s.Name) {
				command += " --stage " + s.Type
			}
			if !slices.Contains(s.Next, command) {
				s.Next = append(s.Next, command)
			}
		}
	}
	s.Notes = once(s.Notes)
	s.ExitCode = stateCode(s)
	return s
}

// once drops repeats: a migration and the stage that it forwards a message to both note it.
func once(lines []string) []string {
	var out []string
	for _, line := range lines {
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// ended reports whether a wait is over.
func ended(s remote.Snapshot, wait string) bool {
	return !s.Running || (wait == waitAsked && (s.ExitCode == failure.Waiting || s.ExitCode == failure.Halted))
}

// waitAndShow waits, telling people on standard error what changes, and prints the last snapshot.
func (a *app) waitAndShow(ctx context.Context, s remote.Service, id, wait string) error {
	lines := a.changes(a.stderr)
	last, err := a.follow(ctx, s, id, lines.Show, func(s remote.Snapshot) bool { return ended(s, wait) })
	if err != nil {
		return err
	}
	a.show(last)
	return nil
}

// follow looks again and again until the end. A worker or server that is away in between is shown
// and waited for.
func (a *app) follow(
	ctx context.Context,
	s remote.Service,
	id string,
	show func(remote.Snapshot, error),
	until func(remote.Snapshot) bool,
) (remote.Snapshot, error) {
	ticker := time.NewTicker(a.pace)
	defer ticker.Stop()
	var last remote.Snapshot
	for seen := false; ; {
		snap, err := a.look(ctx, s, id)
		var f *failure.Error
		switch {
		case ctx.Err() != nil && seen:
			return last, nil // interrupted: what was seen last is the answer
		case ctx.Err() != nil:
			return last, failure.Broken("", "interrupted")
		case err == nil:
			last, seen = snap, true
			show(snap, nil)
			if until(snap) {
				return snap, nil
			}
		case errors.As(err, &f) && f.Code == failure.BadUsage, !seen && !errors.Is(err, remote.ErrNoWorker):
			return last, err
		default:
			show(last, err)
		}
		select {
		case <-ctx.Done():
		case <-ticker.C:
		}
	}
}
