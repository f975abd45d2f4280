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
func (d *Run) messages() []message.Handler {
	return []message.Handler{
		message.Message[api.Approval, api.Approval]{
			Name:        api.ApproveName,
			Description: `Approve a waiting gate: {"gate": "shift-25", "by": "alice", "reason": "…"}`,
			Check: func(ctx workflow.Context, a api.Approval) error {
				return d.CheckApproval(a, workflow.Now(ctx))
			},
			Take: d.TakeApproval, Signalled: d.tellJudged,
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
			d.Stopped = true
			return nil
		}),
	}
}

func (d *Run) steering(name, description string) message.Handler {
	return message.Message[api.Steering, string]{
		Name: name, Description: description,
		Check: func(_ workflow.Context, m api.Steering) error { return d.checkSteering(name, m) },
		Take: func(ctx workflow.Context, m api.Steering) (string, error) {
			return d.steer(ctx, name, m)
		},
	}
}

// takeMissing learns what doesn't run that this workflow needs.
func (d *Run) takeMissing(ctx workflow.Context, m message.Missing) error {
	if m.Number != 0 && m.Number < d.numbered {
		return nil
	}
	d.missing, d.numbered = m.Text, m.Number
	d.Publish(ctx)
	return nil
}

// TakeSignal does what a signal says. What can't be done is noted.
func (d *Run) TakeSignal(ctx workflow.Context, take func(workflow.Context) error) {
	d.Taking++
	err := take(ctx)
	d.Taking--
	if err != nil {
		d.Note(ctx, "ignored signal %s", err)
		d.Publish(ctx)
	}
}

// steerable is the view with the state that hold and resume judge by.
func (d *Run) steerable() api.Status {
	s := d.View()
	if d.IsHeld() {
		s.State = api.StateHeld
	}
	return s
}

// TakeApproval records the approval, or hands it to the child that waits for it: the approval is
// used where the work is. It is bound to what is shown here now; if the child has measured anew
// meanwhile, it is refused there, and who approved is told.
func (d *Run) TakeApproval(ctx workflow.Context, a api.Approval) (api.Approval, error) {
	a.At = workflow.Now(ctx)
	for _, w := range d.Status.Waiting {
		if w.Kind == api.WaitingApproval && w.Gate == a.Gate {
			a.PlanHash, a.Evidence = w.PlanHash, w.Evidence
			d.given[message.QuestionOf(w)] = a // until it is used another one is told of it
			d.Status.Approvals = append(d.Status.Approvals, a)
			d.Publish(ctx)
			return a, nil
		}
	}
	if w, asked := message.WaitingApproval(d.View(), a.Gate); asked {
		a.PlanHash, a.Evidence = w.PlanHash, w.Evidence
		d.given[message.QuestionOf(w)] = a
		if d.Active == "" { // a stage that runs since before a reset of this workflow
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

func (d *Run) steer(ctx workflow.Context, name string, m api.Steering) (string, error) {
	if name == api.BackName && d.IsGoingBack() && change.Made(ctx, change.BackTwice) {
		return d.steerBackAgain(ctx, m)
	}
	switch name {
	case api.HoldName:
		d.showHold(ctx, m)
	case api.ResumeName:
		d.liftHold(ctx)
		d.Retry = true
	case api.BackName:
		d.Back = &m
		if change.Made(ctx, change.HoldShown) { // it says to go on, to the source
			d.liftHold(ctx)
		}
	}
	if !m.Forwarded { // else the migration has noted it
		d.Note(ctx, "%s by %s: %s", name, m.By, message.OrNoReason(m.Reason))
	}
	d.Publish(ctx)
	return name + " accepted", d.forward(ctx, name, message.PassedOn(m))
}

// IsGoingBack reports whether this workflow returns everything to the source, or ends because it
// was asked to.
func (d *Run) IsGoingBack() bool {
	return d.Back != nil || d.GoingBack || d.Status.Type == api.RollbackType
}

// steerBackAgain answers `back` while everything goes back already. It ends nothing; it lifts a
// hold, as it says to go on.
func (d *Run) steerBackAgain(ctx workflow.Context, m api.Steering) (string, error) {
	if d.Held != nil {
		d.liftHold(ctx)
		if !m.Forwarded {
			d.Note(ctx, "%s by %s: it goes on going back: %s", api.BackName, m.By,
				message.OrNoReason(m.Reason))
		}
		d.Publish(ctx)
	}
	const answer = "already going back"
	if !d.GoingBack && !change.Made(ctx, change.Forward) {
		return answer, nil
	}
	// Rollback may be held by itself, and a stage may have begun too late to hear of it
	return answer, d.forward(ctx, api.BackName, message.PassedOn(m))
}

// takeReleased remembers the pipeline's word for what is asked now; a word about what has moved
// already changes nothing.
func (d *Run) takeReleased(ctx workflow.Context, r api.Released) (string, error) {
	groups, topics, listed := message.ReleaseWanted(d.View())
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
			r.Asked = message.ReleasesAsked(d.View())
		}
	}
	d.released.Asked = append(d.released.Asked, r.Asked...)
	d.released.Groups = append(d.released.Groups, lists.Among(r.Groups, groups)...)
	d.released.Topics = append(d.released.Topics, lists.Among(r.Topics, topics)...)
	if !r.Forwarded {
		d.Note(ctx, "released by %s: groups %s; producers of %s", r.By, d.shortOrNone(r.Groups),
			d.shortOrNone(r.Topics))
	}
	if !listed && len(r.Groups)+len(r.Topics) > 0 {
		d.Note(ctx,
			"so many are asked that their silence is measured whatever is said of some: say released without "+
				"names for all")
	}
	d.Publish(ctx)
	r.Forwarded = true
	return "released accepted", d.forward(ctx, api.ReleasedName, r)
}

func (d *Run) shortOrNone(names []string) string {
	if len(names) == 0 || !d.Bounded {
		return lists.OrNone(names)
	}
	return lists.Short(names)
}

// IsReleased reports whether the pipeline said that all of these moved.
func (d *Run) IsReleased(gate string, groups, topics api.Names) bool {
	if d.all || slices.Contains(d.released.Asked, gate) {
		return true
	}
	has := func(said []string, wanted api.Names) bool {
		names, inline := wanted.Inline()
		return inline && !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(said, name) })
	}
	return has(d.released.Groups, groups) && has(d.released.Topics, topics)
}

// SaidOf are the topics of a part that the pipeline reported.
func (d *Run) SaidOf(part api.Names) (said []string) {
	names, inline := part.Inline()
	if !inline || !d.Bounded {
		return nil
	}
	for _, name := range names {
		if slices.Contains(d.released.Topics, name) {
			said = append(said, name)
		}
	}
	return said
}

// ForgetReleased clears what was said, before the next ask.
func (d *Run) ForgetReleased() { d.released, d.all = api.Released{}, false }

// forward passes a message to the child that runs now. A child that has just ended needs it no
// more.
func (d *Run) forward(ctx workflow.Context, name string, said any) error {
	if d.Active == "" {
		return nil
	}
	child := d.Active
	if err := d.send(ctx, child, name, said); err != nil && d.Active == child {
		d.Note(ctx, "%s did not reach %s: %s", name, child, err)
	}
	return nil
}

// send passes a message to a workflow.
func (d *Run) send(ctx workflow.Context, id, name string, said any) error {
	return workflow.SignalExternalWorkflow(ctx, id, "", name, said).Get(ctx, nil)
}
