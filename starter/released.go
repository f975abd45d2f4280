package main

import (
	"context"
	"slices"

	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/starter/remote"
)

func (a *app) releasedCommand() *cobra.Command {
	var message api.Released
	var wait bool
	c := &cobra.Command{
		Use: "released NAME [--group G]... [--topic T]... --by PIPELINE", Short: "Say that applications were " +
			"re-pointed, as status asks",
		Long: "Say that applications now talk to the other side: the consumers of the groups, the producers " +
			"of the topics.\n" +
			"Without --group and --topic: all that status asks for now. The migration still measures it " +
			"before it goes on.",
		Args: func(c *cobra.Command, args []string) error {
			if err := oneName(c, args); err != nil {
				return err
			}
			return checkBy(message.By)
		},
		RunE: func(c *cobra.Command, args []string) error {
			id, err := a.workflowID(args[0])
			if err != nil {
				return err
			}
			return a.withService(c.Context(),
				func(s remote.Service) error { return a.released(c.Context(), s, id, message, wait) })
		},
	}
	c.Flags().StringVar(&message.By, "by", "", "who says so, such as the pipeline's name; required")
	c.Flags().StringArrayVar(&message.Groups, "group", nil, "a group whose consumers were re-pointed; may be repeated")
	c.Flags().StringArrayVar(&message.Topics, "topic", nil, "a topic whose producers were re-pointed; may be repeated")
	c.Flags().BoolVar(&wait, "wait", false, "return when the migration has seen it and asks no more")
	a.stageFlag(c)
	return c
}

func (a *app) released(ctx context.Context, s remote.Service, id string, message api.Released, wait bool) error {
	out := receipt{Approval: api.Approval{Gate: api.ReleasedName, By: message.By}, WorkflowID: id}
	if !wait {
		return a.tell(ctx, s, id, api.ReleasedName, message, out)
	}
	before, err := a.look(ctx, s, id)
	if err != nil {
		return err
	}
	if err := a.tell(ctx, s, id, api.ReleasedName, message, out); err != nil {
		return err
	}
	asked := slices.DeleteFunc(before.Waiting, func(w api.Waiting) bool { return !concerns(w, message) })
	_, err = a.follow(ctx, s, id, a.changes(a.stderr).Show, func(now remote.Snapshot) bool {
		return !now.Running || !slices.ContainsFunc(asked, func(w api.Waiting) bool { return stillAsked(now, w) })
	})
	return err
}

// concerns reports whether the message answers this question, at least in part.
func concerns(w api.Waiting, m api.Released) bool {
	if w.Kind != api.WaitingRelease {
		return false
	}
	in := func(said []string, asked api.Names) bool {
		names, inline := asked.Inline() // of a list in a document it may be one that isn't known here
		return slices.ContainsFunc(said, func(name string) bool { return !inline || slices.Contains(names, name) })
	}
	return len(m.Groups)+len(m.Topics) == 0 || in(m.Groups, w.Groups) || in(m.Topics, w.Topics)
}

func stillAsked(now remote.Snapshot, w api.Waiting) bool {
	return slices.ContainsFunc(now.Waiting, func(o api.Waiting) bool {
		return o.Kind == w.Kind && o.Gate == w.Gate && o.Since.Equal(w.Since)
	})
}
