package stage

import (
	"slices"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/workflows/change"
	"rocketshift/workflows/lists"
	"rocketshift/workflows/message"
	"rocketshift/workflows/report"
)

// messages are what every workflow of a migration is told, by people and by the others.
func (run *Run) messages() []message.Handler {
	return []message.Handler{
		message.Message[api.Approval, api.Approval]{
			Name:        api.ApproveName,
			Description: `Approve a waiting gate: {"gate": "shift-25", "by": "alice", "reason": "…"}`,
			Check: func(ctx workflow.Context, a api.Approval) error {
				return run.CheckApproval(a, workflow.Now(ctx))
			},
			Take: run.TakeApproval, Signalled: run.tellJudged,
		},
		message.NoAnswer(message.HandedSignal, func(_ workflow.Context, h message.Handed) error {
			run.approvals.judged[h.Number] = h.Refused
			return nil
		}),
		run.steering(api.HoldName, `Stop before the next step: {"by": "alice", "reason": "…"}`),
		run.steering(api.ResumeName, `Go on after a hold: {"by": "alice"}`),
		run.steering(api.BackName, `Return everything to the source: {"by": "alice", "reason": "…"}`),
		message.Message[api.Released, string]{
			Name:        api.ReleasedName,
			Description: `The pipeline re-pointed applications: {"by": "jenkins", "groups": […], "topics": […]}`,
			Check:       func(_ workflow.Context, r api.Released) error { return run.checkReleased(r) },
			Take:        run.takeReleased,
		},
		message.NoAnswer(report.Signal, run.hear),
		message.NoAnswer(message.MissingSignal, run.takeMissing),
		message.NoAnswer(api.StopName, func(workflow.Context, struct{}) error {
			run.Stopped = true
			return nil
		}),
	}
}

func (run *Run) steering(name, description string) message.Handler {
	return message.Message[api.Steering, string]{
		Name: name, Description: description,
		Check: func(_ workflow.Context, m api.Steering) error { return run.checkSteering(name, m) },
		Take: func(ctx workflow.Context, m api.Steering) (string, error) {
			return run.steer(ctx, name, m)
		},
	}
}

// takeMissing learns what doesn't run that this workflow needs.
func (run *Run) takeMissing(ctx workflow.Context, m message.Missing) error {
	if m.Number != 0 && m.Number < run.numbered {
		return nil
	}
	run.missing, run.numbered = m.Text, m.Number
	run.Publish(ctx)
	return nil
}

// TakeSignal does what a signal says. What can't be done is noted.
func (run *Run) TakeSignal(ctx workflow.Context, take func(workflow.Context) error) {
	run.Taking++
	err := take(ctx)
	run.Taking--
	if err != nil {
		run.Note(ctx, "ignored signal %s", err)
		run.Publish(ctx)
	}
}

// steerable is the view with the state that hold and resume judge by.
func (run *Run) steerable() api.Status {
	s := run.View()
	if run.IsHeld() {
		s.State = api.StateHeld
	}
	return s
}

// TakeApproval records the approval, or hands it to the child that waits for it: the approval is
// used where the work is. It is bound to what is shown here now; if the child has measured anew
// meanwhile, it is refused there, and who approved is told.
func (run *Run) TakeApproval(ctx workflow.Context, a api.Approval) (api.Approval, error) {
	a.At = workflow.Now(ctx)
	for _, w := range run.Status.Waiting {
		if w.Kind == api.WaitingApproval && w.Gate == a.Gate {
			a.PlanHash, a.Evidence = w.PlanHash, w.Evidence
			run.approvals.given[message.QuestionOf(w)] = a // until it is used another one is told of it
			run.Status.Approvals = append(run.Status.Approvals, a)
			run.Publish(ctx)
			return a, nil
		}
	}
	if w, asked := message.WaitingApproval(run.View(), a.Gate); asked {
		a.PlanHash, a.Evidence = w.PlanHash, w.Evidence
		run.approvals.given[message.QuestionOf(w)] = a
		if run.Active == "" { // a stage that runs since before a reset of this workflow
			if err := run.send(ctx, w.WorkflowID, api.ApproveName, a); err != nil {
				return a, err
			}
		}
	}
	if change.Made(ctx, change.Handed) {
		return a, run.handOn(ctx, a)
	}
	return a, run.forward(ctx, api.ApproveName, a)
}

func (run *Run) steer(ctx workflow.Context, name string, m api.Steering) (string, error) {
	if name == api.BackName && run.IsGoingBack() && change.Made(ctx, change.BackTwice) {
		return run.steerBackAgain(ctx, m)
	}
	switch name {
	case api.HoldName:
		run.showHold(ctx, m)
	case api.ResumeName:
		run.liftHold(ctx)
		run.Retry = true
	case api.BackName:
		run.Back = &m
		if change.Made(ctx, change.HoldShown) { // it says to go on, to the source
			run.liftHold(ctx)
		}
	}
	if !m.Forwarded { // else the migration has noted it
		run.Note(ctx, "%s by %s: %s", name, m.By, message.OrNoReason(m.Reason))
	}
	run.Publish(ctx)
	return name + " accepted", run.forward(ctx, name, message.PassedOn(m))
}

// IsGoingBack reports whether this workflow returns everything to the source, or ends because it
// was asked to.
func (run *Run) IsGoingBack() bool {
	return run.Back != nil || run.GoingBack || run.Status.Type == api.RollbackType
}

// steerBackAgain answers `back` while everything goes back already. It ends nothing; it lifts a
// hold, as it says to go on.
func (run *Run) steerBackAgain(ctx workflow.Context, m api.Steering) (string, error) {
	if run.Held != nil {
		run.liftHold(ctx)
		if !m.Forwarded {
			run.Note(ctx, "%s by %s: it goes on going back: %s", api.BackName, m.By,
				message.OrNoReason(m.Reason))
		}
		run.Publish(ctx)
	}
	const answer = "already going back"
	if !run.GoingBack && !change.Made(ctx, change.Forward) {
		return answer, nil
	}
	// Rollback may be held by itself, and a stage may have begun too late to hear of it
	return answer, run.forward(ctx, api.BackName, message.PassedOn(m))
}

// takeReleased remembers the pipeline's word for what is asked now; a word about what has moved
// already changes nothing.
func (run *Run) takeReleased(ctx workflow.Context, r api.Released) (string, error) {
	groups, topics, listed := message.ReleaseWanted(run.View())
	if len(groups)+len(topics) == 0 && listed {
		return "moved already", nil
	}
	if len(r.Groups)+len(r.Topics) == 0 {
		switch {
		case !change.Made(ctx, change.ReleasedNow):
			run.all = true
		case len(r.Asked) > 0: // a migration was told
		case listed:
			r.Groups, r.Topics = groups, topics
		default:
			r.Asked = message.ReleasesAsked(run.View())
		}
	}
	run.released.Asked = append(run.released.Asked, r.Asked...)
	run.released.Groups = append(run.released.Groups, lists.Among(r.Groups, groups)...)
	run.released.Topics = append(run.released.Topics, lists.Among(r.Topics, topics)...)
	if !r.Forwarded {
		run.Note(ctx, "released by %s: groups %s; producers of %s", r.By, run.shortOrNone(r.Groups),
			run.shortOrNone(r.Topics))
	}
	if !listed && len(r.Groups)+len(r.Topics) > 0 {
		run.Note(ctx,
			"so many are asked that their silence is measured whatever is said of some: say released without "+
				"names for all")
	}
	run.Publish(ctx)
	r.Forwarded = true
	return "released accepted", run.forward(ctx, api.ReleasedName, r)
}

func (run *Run) shortOrNone(names []string) string {
	if len(names) == 0 || !run.Bounded {
		return lists.OrNone(names)
	}
	return lists.Short(names)
}

// IsReleased reports whether the pipeline said that all of these moved.
func (run *Run) IsReleased(gate string, groups, topics api.Names) bool {
	if run.all || slices.Contains(run.released.Asked, gate) {
		return true
	}
	has := func(said []string, wanted api.Names) bool {
		names, inline := wanted.Inline()
		return inline && !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(said, name) })
	}
	return has(run.released.Groups, groups) && has(run.released.Topics, topics)
}

// SaidOf are the topics of a part that the pipeline reported.
func (run *Run) SaidOf(part api.Names) (said []string) {
	names, inline := part.Inline()
	if !inline || !run.Bounded {
		return nil
	}
	for _, name := range names {
		if slices.Contains(run.released.Topics, name) {
			said = append(said, name)
		}
	}
	return said
}

// ForgetReleased clears what was said, before the next ask.
func (run *Run) ForgetReleased() { run.released, run.all = api.Released{}, false }

// forward passes a message to the child that runs now. A child that has just ended needs it no
// more.
func (run *Run) forward(ctx workflow.Context, name string, said any) error {
	if run.Active == "" {
		return nil
	}
	child := run.Active
	if err := run.send(ctx, child, name, said); err != nil && run.Active == child {
		run.Note(ctx, "%s did not reach %s: %s", name, child, err)
	}
	return nil
}

// send passes a message to a workflow.
func (run *Run) send(ctx workflow.Context, id, name string, said any) error {
	return workflow.SignalExternalWorkflow(ctx, id, "", name, said).Get(ctx, nil)
}
