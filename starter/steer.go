package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

// steerCommand makes hold, resume and back, which differ in their name only.
func (a *app) steerCommand(name, short string) *cobra.Command {
	var message api.Steering
	c := &cobra.Command{
		Use: name + " NAME --by YOU [--reason WHY]", Short: short,
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
			out := receipt{Approval: api.Approval{Gate: name, By: message.By, Reason: message.Reason}, WorkflowID: id}
			return a.withService(c.Context(),
				func(s remote.Service) error { return a.tell(c.Context(), s, id, name, message, out) })
		},
	}
	byFlags(c, &message.By, &message.Reason)
	a.stageFlag(c)
	return c
}

// tell sends a message that needs no answer but "taken".
func (a *app) tell(ctx context.Context, s remote.Service, id, name string, message any, out receipt) error {
	limited, cancel := a.within(ctx)
	defer cancel()
	var taken string
	err := s.Update(limited, id, name, "", message, &taken)
	if errors.Is(err, remote.ErrNoWorker) {
		return a.leave(ctx, s, id, name, message, out)
	}
	if err != nil {
		return refused(id, err)
	}
	out.Via = viaUpdate
	a.printReceipt(out, "%s taken by %s", name, id)
	return nil
}

// leave sends the message as a signal: the server keeps it until a worker runs, and the workflow
// judges it then.
func (a *app) leave(ctx context.Context, s remote.Service, id, name string, message any, out receipt) error {
	limited, cancel := a.within(ctx)
	defer cancel()
	if err := s.Signal(limited, id, name, message); err != nil {
		if errors.Is(err, remote.ErrNoWorker) { // a signal needs none: it is the server that is late
			err = failure.Broken("see rocketshift doctor", "%w", err)
		}
		return refused(id, err)
	}
	out.Via = viaSignal
	a.warn(
		"no worker answered within %s: %s was left as a signal for %s and is judged when a worker runs; "+
			"start bin/rocketshift-worker, then look at rocketshift status",
		a.patient,
		name,
		id,
	)
	a.printReceipt(out, "%s left for %s", name, id)
	return nil
}

func (a *app) printReceipt(r receipt, format string, args ...any) {
	if a.json() {
		a.document(r)
		return
	}
	a.say(format, args...)
}

// refused words why a message did not get through.
func refused(id string, err error) error {
	var no remote.Refusal
	switch {
	case errors.As(err, &no):
		return failure.Usage("nothing was changed", "refused: %s", no.Text)
	case errors.Is(err, remote.ErrEnded):
		return failure.Usage("see rocketshift status", "%s has ended: nothing more can be asked of it", id)
	case errors.Is(err, remote.ErrNotFound):
		return remote.NotFound(id)
	}
	return err
}
