package main

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"rocketshift/api"
	"rocketshift/internal/failure"
	"rocketshift/starter/remote"
)

// How a message reached the workflow.
const (
	viaUpdate  = "update"  // taken and answered
	viaSignal  = "signal"  // left for a worker that doesn't run now
	viaEarlier = "earlier" // somebody had said it before; nothing was sent
)

// receipt is what a command that answers a migration prints.
type receipt struct {
	api.Approval
	WorkflowID string `json:"workflowId"`
	Via        string `json:"via"`
	UpdateID   string `json:"updateId,omitempty"`
	ExitCode   int    `json:"exitCode"`
}

func (a *app) approveCommand() *cobra.Command {
	var answer api.Approval
	c := &cobra.Command{
		Use: "approve NAME GATE --by YOU --reason WHY", Short: "Approve a gate that waits: purchase, " +
			"shift-<percent>, soak-<percent>, finalize, leave, lost, lost-brokers",
		Long: "Approve a gate that waits. The approval is bound to the plan and the evidence that status shows now.\n" +
			"A repeated approval gives the first answer, so a pipeline may try again freely.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return failure.Usage("",
					"want two arguments: the migration's name and the gate, such as purchase or shift-25")
			}
			return checkBy(answer.By)
		},
		RunE: func(c *cobra.Command, args []string) error {
			id, err := a.workflowID(args[0])
			if err != nil {
				return err
			}
			answer.Gate = args[1]
			return a.withService(
				c.Context(),
				func(s remote.Service) error { return a.approve(c.Context(), s, id, answer) },
			)
		},
	}
	byFlags(c, &answer.By, &answer.Reason)
	c.Flags().
		StringVar(&answer.PlanHash, "plan-hash", "", "approve only if this plan runs (default: the one that "+
			"status shows)")
	c.Flags().StringVar(&answer.Evidence, "evidence", "", "approve only this evidence (default: what status shows)")
	a.stageFlag(c)
	return c
}

func byFlags(c *cobra.Command, by, reason *string) {
	c.Flags().StringVar(by, "by", "", "who says so; required")
	c.Flags().StringVar(reason, "reason", "", "why; kept in the report")
}

func checkBy(by string) error {
	if strings.TrimSpace(by) == "" {
		return failure.Usage("", "nobody is named: say who you are by --by")
	}
	return nil
}

func (a *app) approve(ctx context.Context, s remote.Service, id string, answer api.Approval) error {
	snap, err := a.look(ctx, s, id)
	if errors.Is(err, remote.ErrNoWorker) {
		return a.leave(ctx, s, id, api.ApproveName, answer, receipt{Approval: answer, WorkflowID: id})
	}
	if err != nil {
		return err
	}
	asked := slices.IndexFunc(snap.Waiting, func(w api.Waiting) bool { return isApproval(w, answer.Gate) })
	if asked < 0 {
		return a.approvedEarlier(snap, answer.Gate)
	}
	w := snap.Waiting[asked]
	answer.PlanHash, answer.Evidence = either(answer.PlanHash, w.PlanHash), either(answer.Evidence, w.Evidence)
	out := receipt{WorkflowID: id, Via: viaUpdate, UpdateID: updateID(id, w)}
	limited, cancel := a.within(ctx)
	defer cancel()
	err = s.Update(limited, id, api.ApproveName, out.UpdateID, answer, &out.Approval)
	if errors.Is(err, remote.ErrNoWorker) {
		out.Approval, out.UpdateID = answer, ""
		return a.leave(ctx, s, id, api.ApproveName, answer, out)
	}
	if err != nil {
		return refused(id, err)
	}
	a.untilTaken(ctx, s, id, w)
	a.printApproval(out, answer.By)
	return nil
}

func isApproval(w api.Waiting, gate string) bool {
	return w.Kind == api.WaitingApproval && w.Gate == gate
}

// updateID is the same for the same question: a repeated answer gets the first reply. A question
// that is asked again (after a failed stage, or with new evidence) is another one, by its evidence
// or its time.
func updateID(id string, w api.Waiting) string {
	asked := w.Since // a question that stands keeps its age while its evidence is measured again
	if w.Expires != nil {
		asked = *w.Expires
	}
	return strings.Join([]string{
		id, w.Gate, either(w.Evidence, w.PlanHash),
		asked.UTC().Format(time.RFC3339Nano),
	}, "/")
}

func either(given, standard string) string {
	if given == "" {
		return standard
	}
	return given
}

// approvedEarlier answers a repeated approval by the first one, and refuses one that nobody asked
// for.
func (a *app) approvedEarlier(snap remote.Snapshot, gate string) error {
	for _, given := range slices.Backward(snap.Approvals) {
		if given.Gate == gate {
			a.printApproval(receipt{Approval: given, WorkflowID: snap.WorkflowID, Via: viaEarlier}, "")
			return nil
		}
	}
	var waiting []string
	for _, w := range snap.Waiting {
		if w.Kind == api.WaitingApproval {
			waiting = append(waiting, w.Gate)
		}
	}
	if len(waiting) == 0 {
		return failure.Usage("see rocketshift status", "%s waits for no approval now (it is %s), so not for %q",
			snap.WorkflowID, snap.State, gate)
	}
	return failure.Usage("", "%s does not wait for an approval of %q; waiting now: %s", snap.WorkflowID, gate,
		strings.Join(waiting, ", "))
}

func (a *app) printApproval(r receipt, by string) {
	if a.json() {
		a.document(r)
		return
	}
	at := r.At.Local().Format(time.DateTime)
	if r.Via == viaEarlier || (by != "" && by != r.By) {
		a.say("%s was approved already by %s at %s; the first answer counts", r.Gate, r.By, at)
		return
	}
	a.say("%s approved by %s at %s (plan %s, evidence %s)", r.Gate, r.By, at, r.PlanHash, either(r.Evidence, "none"))
}

// untilTaken waits until the question is gone, so that a status right after shows what comes next.
// It is a courtesy: the approval has been taken.
func (a *app) untilTaken(ctx context.Context, s remote.Service, id string, w api.Waiting) {
	limited, cancel := a.within(ctx)
	defer cancel()
	_, _ = a.follow(limited, s, id, func(remote.Snapshot, error) {}, func(now remote.Snapshot) bool {
		return !now.Running || !slices.ContainsFunc(now.Waiting,
			func(o api.Waiting) bool { return updateID(id, o) == updateID(id, w) })
	})
}
