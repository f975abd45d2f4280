package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"rocketshift/internal/failure"
	"rocketshift/plan"
	"rocketshift/starter/remote"
)

func (a *app) startCommand() *cobra.Command {
	var file, wait string
	var again bool
	c := &cobra.Command{
		Use: "start -f plan.yaml", Short: "Start the plan's migration, or join it if it runs already", Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := checkWait(wait); err != nil {
				return err
			}
			p, err := a.readPlan(file, args)
			if err != nil {
				return err
			}
			return a.withService(c.Context(),
				func(s remote.Service) error { return a.start(c.Context(), s, p, again, wait) })
		},
	}
	fileFlag(c, &file)
	waitFlag(c, &wait)
	c.Flags().BoolVar(&again, "again", false,
		"start a migration anew that went back; its topics, groups and copies on the target are used again")
	return c
}

// Values of --wait.
const (
	waitAsked = "asked"
	waitEnd   = "end"
)

func waitFlag(c *cobra.Command, wait *string) {
	c.Flags().
		StringVar(wait, "wait", "", "wait until the migration ended or somebody is asked for something; "+
			"=end: until it ended")
	c.Flags().Lookup("wait").NoOptDefVal = waitAsked
}

func checkWait(wait string) error {
	if wait != "" && wait != waitAsked && wait != waitEnd {
		return failure.Usage("", "--wait=%s: allowed: %s, %s", wait, waitAsked, waitEnd)
	}
	return nil
}

func (a *app) start(ctx context.Context, s remote.Service, p plan.Plan, again bool, wait string) error {
	limited, cancel := a.within(ctx)
	defer cancel()
	st, err := s.Start(limited, p, again)
	if errors.Is(err, remote.ErrNoWorker) { // starting needs none: it is the server that is late
		err = failure.Broken("see rocketshift doctor", "start %s: %w", p.WorkflowID(), err)
	}
	if err != nil {
		return err
	}
	switch {
	case st.Ended:
		a.note(
			"%s has run with this plan and ended; nothing was started (--again starts one anew that went back)",
			st.WorkflowID,
		)
		return a.waitAndShow(ctx, s, st.WorkflowID, waitEnd)
	case st.Joined:
		a.note("joined %s, which runs with this plan (%s)", st.WorkflowID, st.PlanHash)
	default:
		a.note("started %s with plan %s", st.WorkflowID, st.PlanHash)
	}
	if st.NoWorker {
		a.warn("no worker polls for it: start bin/rocketshift-worker")
	}
	if wait != "" {
		return a.waitAndShow(ctx, s, st.WorkflowID, wait)
	}
	if a.json() {
		a.document(struct {
			remote.Started
			ExitCode int `json:"exitCode"`
		}{st, failure.Done})
		return nil
	}
	a.say("next: rocketshift status %s --watch", p.Name)
	return nil
}

// note tells people something without spoiling the one document of JSON mode.
func (a *app) note(format string, args ...any) {
	if a.json() {
		a.warn(format, args...)
		return
	}
	a.say(format, args...)
}
