package workflows

import (
	"cmp"
	"slices"
	"time"

	"go.temporal.io/sdk/workflow"

	"rocketshift/api"
	"rocketshift/plan"
	"rocketshift/workflows/change"
	"rocketshift/workflows/message"
)

const (
	// evidenceLife is how long a person may take to answer before the evidence is measured again.
	evidenceLife = time.Hour
	// evidenceLongest is what that grows to while nobody answers, doubling: a measurement has some
	// 16 events, and a month of a question has to stay under 10,000.
	evidenceLongest = 4 * time.Hour
	// restLife is how long a rest may be accepted that doesn't grow: time to read it and to ask who
	// is concerned, although it is measured every few seconds at first.
	restLife = 15 * time.Minute
)

// question is what a person is asked to approve.
type question struct {
	gate     string
	text     string
	evidence any           // what is shown; an approval is bound to its digest
	life     time.Duration // until it is measured again; 0 means evidenceLife
	expires  time.Time     // until when the evidence may be answered; zero: for its life
	until    func() bool   // the question is over when this says so; nil: only by an answer
}

// approve waits for the approval of one gate. The context of measure ends with it. Evidence that
// got old is measured again, and an answer to the old one is refused.
func (d *stageRun) approve(ctx workflow.Context, measure func(workflow.Context) (question, error)) error {
	gate := ""
	defer func() { d.unask(ctx, gate) }()
	for life := evidenceLife; ; life = min(2*life, d.longestLife()) {
		var q question
		err := d.hears(ctx, func(ctx workflow.Context) (err error) {
			q, err = measure(ctx)
			return err
		})
		if err != nil {
			return err
		}
		gate, q.life = q.gate, cmp.Or(q.life, life)
		given, err := d.ask(ctx, q)
		if given || err != nil {
			return err
		}
	}
}

// hears is step for what once was done outside of steps, so that `back` had to wait for it.
func (d *stageRun) hears(ctx workflow.Context, work func(workflow.Context) error) error {
	if !change.Made(ctx, change.Heard) {
		return work(ctx)
	}
	return d.step(ctx, work)
}

// ask shows the question until it is approved (true) or its evidence expires (false).
func (d *stageRun) ask(ctx workflow.Context, q question) (bool, error) {
	if err := d.checkpoint(ctx); err != nil {
		return false, err
	}
	life := cmp.Or(q.life, evidenceLife)
	expires := q.expires
	if expires.IsZero() {
		expires = workflow.Now(ctx).Add(life)
	}
	evidence := message.ShownDigest(ctx, q.evidence)
	given := d.answered(ctx, q.gate, evidence)
	done := d.put(ctx, api.Waiting{
		Kind: api.WaitingApproval, Gate: q.gate, Text: q.text, PlanHash: d.status.PlanHash, Evidence: evidence,
		Expires: &expires,
	})
	ok, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: life, TimerOptions: workflow.TimerOptions{Summary: "approval of " + q.gate},
	}, func() bool { return given() || d.back != nil || q.until != nil && q.until() })
	measuring := err == nil && !given() && d.back == nil && change.Made(ctx, change.Question)
	// else the question stands until it is put anew, or until nobody needs the answer
	if !measuring {
		done()
		delete(d.firstPut, q.gate)
	}
	switch {
	case err != nil:
		return false, err
	case d.back != nil:
		return false, errBack
	case !ok:
		return false, nil
	}
	return given(), nil
}

// answered returns what tells whether a question has been approved. While its evidence is measured
// again it stands, so that an approval of then counts, if it is for what is asked now.
func (d *stageRun) answered(ctx workflow.Context, gate, evidence string) func() bool {
	before := len(d.status.Approvals)
	if !change.Made(ctx, change.Kept) {
		return func() bool { return len(d.status.Approvals) > before }
	}
	if first, stands := d.firstPut[gate]; stands {
		before = first
	}
	for _, a := range d.status.Approvals[before:] {
		if a.Gate == gate && a.Evidence != evidence {
			d.note(ctx, "%s was approved by %s for what was measured before, so that it is asked again",
				gate, a.By)
			before = len(d.status.Approvals)
		}
	}
	d.firstPut[gate] = before
	return func() bool {
		return slices.ContainsFunc(d.status.Approvals[before:], func(a api.Approval) bool {
			return a.Gate == gate && a.Evidence == evidence
		})
	}
}

// put shows a question, in the place and with the age of the one of its gate that stands.
func (d *stageRun) put(ctx workflow.Context, w api.Waiting) func() {
	for i, old := range d.status.Waiting {
		if old.Kind == api.WaitingApproval && old.Gate == w.Gate {
			w.WorkflowID, w.Since = old.WorkflowID, old.Since
			d.status.Waiting = slices.Clone(d.status.Waiting)
			d.status.Waiting[i] = w
			d.publish(ctx)
			return func() { d.unask(ctx, w.Gate) }
		}
	}
	return d.wait(ctx, w)
}

// unask takes a question off the page that stands and isn't asked any more.
func (d *stageRun) unask(ctx workflow.Context, gate string) {
	delete(d.firstPut, gate)
	standing := func(w api.Waiting) bool { return w.Kind == api.WaitingApproval && w.Gate == gate }
	if slices.ContainsFunc(d.status.Waiting, standing) {
		d.status.Waiting = slices.DeleteFunc(slices.Clone(d.status.Waiting), standing)
		d.publish(ctx)
	}
}

// longestLife is how long evidence may be answered while nobody does.
func (d *stageRun) longestLife() time.Duration {
	if !d.bounded {
		return evidenceLife
	}
	return evidenceLongest
}

// asks reports whether the plan wants a person's approval of this gate.
func (d *stageRun) asks(gate plan.Gate) bool {
	for _, g := range d.plan.Approvals {
		if g == gate {
			return true
		}
	}
	return false
}
