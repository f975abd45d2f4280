package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/internal/instance"
	"rocketshift/internal/lab"
	"rocketshift/internal/printable"
	"rocketshift/plan"
	"rocketshift/starter/page"
	"rocketshift/starter/remote"
)

// localTargets are the targets of provider local on this machine.
type localTargets interface {
	List() ([]instance.Found, error)
	Clients(ctx context.Context, name string) ([]string, error)
	Remove(ctx context.Context, name string) (was bool, err error)
}

// targetsCommand lists and removes what provider local has started: it outlives the worker, the
// migration and Temporal, so that somebody has to end it.
func (a *app) targetsCommand() *cobra.Command {
	c := &cobra.Command{
		Use: "targets", Short: "List the targets of provider local on this machine, with their processes",
		Long: "List the targets of provider local on this machine: a name server, brokers and a " +
			"proxy each, which outlive\n" +
			"the worker and the migration. targets remove ends and deletes one.",
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.targets() },
	}
	var alone bool
	remove := &cobra.Command{
		Use: "remove NAME", Short: "End the processes of a local target and delete its messages",
		Long: "End the processes of the local target of a migration and delete its folder with all " +
			"messages. It is refused while\n" +
			"a workflow of the migration runs, and while applications are connected to it. What isn't " +
			"there is removed already.\n" +
			"Where Temporal is gone for good, --without-temporal leaves out the first of both.",
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			if !plan.ValidName(args[0]) {
				return failure.Usage("see rocketshift targets", "%q is no name of a migration", args[0])
			}
			return a.removeTarget(c.Context(), args[0], alone)
		},
	}
	remove.Flags().BoolVar(&alone, "without-temporal", false,
		"don't ask Temporal whether the migration runs: you know that it doesn't")
	c.AddCommand(remove)
	return c
}

func (a *app) localTargets() (localTargets, error) {
	if a.local != nil {
		return a.local, nil
	}
	root, err := lab.Root()
	if err != nil {
		return nil, failure.Broken("", "find the worker's folder: %w", err)
	}
	return instance.Local{Root: root}, nil
}

func (a *app) targets() error {
	local, err := a.localTargets()
	if err != nil {
		return err
	}
	all, err := local.List()
	if err != nil {
		return failure.Broken("", "%w", err)
	}
	if a.json() {
		a.document(struct {
			Targets []instance.Found `json:"targets"`
		}{append([]instance.Found{}, all...)})
		return nil
	}
	if len(all) == 0 {
		a.say("no target of provider local is on this machine")
		return nil
	}
	t := page.NewTable("target", "version", "processes", "name servers", "problem")
	for _, f := range all {
		f.Problem = page.Joined.Replace(f.Problem)
		f = printable.All(f, printable.Text)
		t.AppendRow(table.Row{
			f.Name, f.Version, strings.Trim(fmt.Sprint(f.Processes), "[]"),
			strings.Join(f.NameServers, ", "), page.Short(f.Problem),
		})
	}
	a.picture(t.Render())
	a.say("next: rocketshift targets remove NAME")
	return nil
}

// removed is what JSON mode prints.
type removed struct {
	Name    string `json:"name"`
	Removed bool   `json:"removed"` // false: it wasn't there
}

// removeTarget removes a target that nobody uses. alone says that Temporal isn't asked.
func (a *app) removeTarget(ctx context.Context, name string, alone bool) error {
	local, err := a.localTargets()
	if err != nil {
		return err
	}
	all, err := local.List()
	if err != nil {
		return failure.Broken("", "%w", err)
	}
	there := slices.ContainsFunc(all, func(f instance.Found) bool { return f.Name == name })
	limited, cancel := a.within(ctx)
	defer cancel()
	if !alone {
		err := a.withService(ctx, func(s remote.Service) error { return notRunning(limited, s, name) })
		if f := new(failure.Error); errors.As(err, &f) && f.Code == failure.Failed {
			if !there { // whatever Temporal would say
				a.tellRemoved(name, false)
				return nil
			}
			return failure.Broken(
				strings.TrimPrefix(f.Next+"; ", "; ")+"where Temporal is gone for good, say --without-temporal",
				"%w", f.Cause,
			)
		}
		if err != nil {
			return err
		}
	}
	clients, err := local.Clients(limited, name)
	if err != nil {
		return failure.Broken("", "%w", err)
	}
	if len(clients) > 0 {
		return failure.Usage("stop them, or bring them back first",
			"the target of %s is in use: %d applications are connected: %s; nothing was changed", name,
			len(clients), printable.Listed(clients))
	}
	was, err := local.Remove(ctx, name)
	if err != nil {
		return failure.Broken("it may be called again", "%w", err)
	}
	a.tellRemoved(name, was)
	return nil
}

// notRunning is an error while a workflow of the migration runs.
func notRunning(ctx context.Context, s remote.Service, name string) error {
	ids := []string{plan.WorkflowID(name)}
	for _, kind := range stageTypes() {
		ids = append(ids, api.StageID(plan.Plan{Name: name}, kind))
	}
	running, err := s.Running(ctx, ids)
	if err != nil {
		return err
	}
	if len(running) > 0 {
		return failure.Usage(fmt.Sprintf("rocketshift back %s brings its applications home, and ends it", name),
			"the target of %s is in use: %s run; nothing was changed", name,
			strings.Join(running, ", "))
	}
	return nil
}

func (a *app) tellRemoved(name string, was bool) {
	switch {
	case a.json():
		a.document(removed{name, was})
	case was:
		a.say("the local target of %s was removed", name)
	default:
		a.say("there is no local target of %s: nothing to remove", name)
	}
}
