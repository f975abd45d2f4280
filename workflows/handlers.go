package workflows

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
func (d *stageRun) messages() []message.Handler {
	return []message.Handler{
		message.Message[api.Approval, api.Approval]{
			Name:        api.ApproveName,
			Description: `Approve a waiting gate: {"gate": "shift-25", "by": "alice", "reason": "…"}`,
			Check: func(ctx workflow.Context, a api.Approval) error {
				return d.checkApproval(a, workflow.Now(ctx))
			},
			Take: d.takeApproval, Signalled: d.tellJudged,
		},
		message.NoAnswer(message.HandedSignal, func(_ workflow.Context, h message.Handed) error {
			d.judged[h.Number] = h.Refused
			return nil
		}),
		d.steering(api.HoldName, `Stop before the next step: {"by": "alice", "reason": "…"}`),
		d.steering(api.ResumeName, `Go on after a hold: {"by": "alice"}`),
		d.steering(api.BackName, `Return everything to the source: {"by": "alice", "reason": "…"}`),
		message.Message[api.Released, string]{
			Name:        api.ReleasedName,
			Description: `The pipeline re-pointed applications: {"by": "jenkins", "groups": […], "topics": […]}`,
			Check:       func(_ workflow.Context, r api.Released) error { return d.checkReleased(r) },
			Take:        d.takeReleased,
		},
		message.NoAnswer(report.Signal, d.hear),
		message.NoAnswer(message.MissingSignal, d.takeMissing),
		message.NoAnswer(api.StopName, func(workflow.Context, struct{}) error {
			d.stopped = true
			return nil
		}),
	}
}

func (d *stageRun) steering(name, description string) message.Handler {
	return message.Message[api.Steering, string]{
		Name: name, Description: description,
		Check: func(_ workflow.Context, m api.Steering) error { return d.checkSteering(name, m) },
		Take: func(ctx workflow.Context, m api.Steering) (string, error) {
			return d.steer(ctx, name, m)
		},
	}
}

// takeMissing learns what doesn't run that this workflow needs.
func (d *stageRun) takeMissing(ctx workflow.Context, m message.Missing) error {
	if m.Number != 0 && m.Number < d.numbered {
		return nil
	}
	d.missing, d.numbered = m.Text, m.Number
	d.publish(ctx)
	return nil
}

// TakeSignal does what a signal says. What can't be done is noted.
func (d *stageRun) TakeSignal(ctx workflow.Context, take func(workflow.Context) error) {
	d.taking++
	err := take(ctx)
	d.taking--
	if err != nil {
		d.note(ctx, "ignored signal %s", err)
		d.publish(ctx)
	}
}

// steerable is the view with the state that hold and resume judge by.
func (d *stageRun) steerable() api.Status {
	s := d.view()
	if d.isHeld() {
		s.State = api.StateHeld
	}
	return s
}

// takeApproval records the approval, or hands it to the child that waits for it: the approval is
// used where the work is. It is bound to what is shown here now; if the child has measured anew
// meanwhile, it is refused there, and who approved is told.
func (d *stageRun) takeApproval(ctx workflow.Context, a api.Approval) (api.Approval, error) {
	a.At = workflow.Now(ctx)
	for _, w := range d.status.Waiting {
		if w.Kind == api.WaitingApproval && w.Gate == a.Gate {
			a.PlanHash, a.Evidence = w.PlanHash, w.Evidence
			d.given[message.QuestionOf(w)] = a // until it is used another one is told of it
			d.status.Approvals = append(d.status.Approvals, a)
			d.publish(ctx)
			return a, nil
		}
	}
	if w, asked := message.WaitingApproval(d.view(), a.Gate); asked {
		a.PlanHash, a.Evidence = w.PlanHash, w.Evidence
		d.given[message.QuestionOf(w)] = a
		if d.active == "" { // a stage that runs since before a reset of this workflow
			if err := d.send(ctx, w.WorkflowID, api.ApproveName, a); err != nil {
				return a, err
			}
		}
	}
	if change.Made(ctx, change.Handed) {
		return a, d.handOn(ctx, a)
	}
	return a, d.forward(ctx, api.ApproveName, a)
}

func (d *stageRun) steer(ctx workflow.Context, name string, m api.Steering) (string, error) {
	if name == api.BackName && d.isGoingBack() && change.Made(ctx, change.BackTwice) {
		return d.steerBackAgain(ctx, m)
	}
	switch name {
	case api.HoldName:
		d.showHold(ctx, m)
	case api.ResumeName:
		d.liftHold(ctx)
		d.retry = true
	case api.BackName:
		d.back = &m
		if change.Made(ctx, change.HoldShown) { // it says to go on, to the source
			d.liftHold(ctx)
		}
	}
	if !m.Forwarded { // else the migration has noted it
		d.note(ctx, "%s by %s: %s", name, m.By, message.OrNoReason(m.Reason))
	}
	d.publish(ctx)
	return name + " accepted", d.forward(ctx, name, message.PassedOn(m))
}

// isGoingBack reports whether this workflow returns everything to the source, or ends because it
// was asked to.
func (d *stageRun) isGoingBack() bool {
	return d.back != nil || d.goingBack || d.status.Type == api.RollbackType
}

// steerBackAgain answers `back` while everything goes back already. It ends nothing; it lifts a
// hold, as it says to go on.
func (d *stageRun) steerBackAgain(ctx workflow.Context, m api.Steering) (string, error) {
	if d.held != nil {
		d.liftHold(ctx)
		if !m.Forwarded {
			d.note(ctx, "%s by %s: it goes on going back: %s", api.BackName, m.By,
				message.OrNoReason(m.Reason))
		}
		d.publish(ctx)
	}
	const answer = "already going back"
	if !d.goingBack && !change.Made(ctx, change.Forward) {
		return answer, nil
	}
	// Rollback may be held by itself, and a stage may have begun too late to hear of it
	return answer, d.forward(ctx, api.BackName, message.PassedOn(m))
}

// takeReleased remembers the pipeline's word for what is asked now; a word about what has moved
// already changes nothing.
func (d *stageRun) takeReleased(ctx workflow.Context, r api.Released) (string, error) {
	groups, topics, listed := message.ReleaseWanted(d.view())
	if len(groups)+len(topics) == 0 && listed {
		return "moved already", nil
	}
	if len(r.Groups)+len(r.Topics) == 0 {
		switch {
		case !change.Made(ctx, change.ReleasedNow):
			d.all = true
		case len(r.Asked) > 0: // a migration was told
		case listed:
			r.Groups, r.Topics = groups, topics
		default:
			r.Asked = message.ReleasesAsked(d.view())
		}
	}
	d.released.Asked = append(d.released.Asked, r.Asked...)
	d.released.Groups = append(d.released.Groups, lists.Among(r.Groups, groups)...)
	d.released.Topics = append(d.released.Topics, lists.Among(r.Topics, topics)...)
	if !r.Forwarded {
		d.note(ctx, "released by %s: groups %s; producers of %s", r.By, d.shortOrNone(r.Groups),
			d.shortOrNone(r.Topics))
	}
	if !listed && len(r.Groups)+len(r.Topics) > 0 {
		d.note(ctx,
			"so many are asked that their silence is measured whatever is said of some: say released without "+
				"names for all")
	}
	d.publish(ctx)
	r.Forwarded = true
	return "released accepted", d.forward(ctx, api.ReleasedName, r)
}

func (d *stageRun) shortOrNone(names []string) string {
	if len(names) == 0 || !d.bounded {
		return lists.OrNone(names)
	}
	return lists.Short(names)
}

// isReleased reports whether the pipeline said that all of these moved.
func (d *stageRun) isReleased(gate string, groups, topics api.Names) bool {
	if d.all || slices.Contains(d.released.Asked, gate) {
		return true
	}
	has := func(said []string, wanted api.Names) bool {
		names, inline := wanted.Inline()
		return inline && !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(said, name) })
	}
	return has(d.released.Groups, groups) && has(d.released.Topics, topics)
}

// forgetReleased clears what was said, before the next ask.
func (d *stageRun) forgetReleased() { d.released, d.all = api.Released{}, false }

// forward passes a message to the child that runs now. A child that has just ended needs it no
// more.
func (d *stageRun) forward(ctx workflow.Context, name string, said any) error {
	if d.active == "" {
		return nil
	}
	child := d.active
	if err := d.send(ctx, child, name, said); err != nil && d.active == child {
		d.note(ctx, "%s did not reach %s: %s", name, child, err)
	}
	return nil
}

// send passes a message to a workflow.
func (d *stageRun) send(ctx workflow.Context, id, name string, said any) error {
	return workflow.SignalExternalWorkflow(ctx, id, "", name, said).Get(ctx, nil)
}
