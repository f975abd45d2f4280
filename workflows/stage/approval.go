package stage

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
	// EvidenceLife is how long a person may take to answer before the evidence is measured again.
	EvidenceLife = time.Hour
	// EvidenceLongest is what that grows to while nobody answers, doubling: a measurement has some
	// 16 events, and a month of a question has to stay under 10,000.
	EvidenceLongest = 4 * time.Hour
	// RestLife is how long a rest may be accepted that doesn't grow: time to read it and to ask who
	// is concerned, although it is measured every few seconds at first.
	RestLife = 15 * time.Minute
)

// Question is what a person is asked to approve.
type Question struct {
	Gate     string
	Text     string
	Evidence any           // what is shown; an approval is bound to its digest
	Life     time.Duration // until it is measured again; 0 means EvidenceLife
	Expires  time.Time     // until when the evidence may be answered; zero: for its life
	Until    func() bool   // the question is over when this says so; nil: only by an answer
}

// approvals is what has become of approvals so far.
type approvals struct {
	given    map[string]api.Approval // handed on to the child that asks, by what they answer
	handedOn int64                   // how many were, so far
	judged   map[int64]string        // why a stage refused one, by its number; empty if it took it
	// firstPut is how many approvals there were when a question was first put, of the gates that
	// are asked now.
	firstPut map[string]int
}

func newApprovals() approvals {
	return approvals{
		given: map[string]api.Approval{}, judged: map[int64]string{}, firstPut: map[string]int{},
	}
}

// Approve waits for the approval of one gate. The context of measure ends with it. Evidence that
// got old is measured again, and an answer to the old one is refused.
func (run *Run) Approve(ctx workflow.Context, measure func(workflow.Context) (Question, error)) error {
	gate := ""
	defer func() { run.Unask(ctx, gate) }()
	for life := EvidenceLife; ; life = min(2*life, run.longestLife()) {
		var q Question
		err := run.Hears(ctx, func(ctx workflow.Context) (err error) {
			q, err = measure(ctx)
			return err
		})
		if err != nil {
			return err
		}
		gate, q.Life = q.Gate, cmp.Or(q.Life, life)
		given, err := run.Ask(ctx, q)
		if given || err != nil {
			return err
		}
	}
}

// Hears is Step for what once was done outside of steps, so that `back` had to wait for it.
func (run *Run) Hears(ctx workflow.Context, work func(workflow.Context) error) error {
	if !change.Made(ctx, change.Heard) {
		return work(ctx)
	}
	return run.Step(ctx, work)
}

// Ask shows the question until it is approved (true) or its evidence expires (false).
func (run *Run) Ask(ctx workflow.Context, q Question) (bool, error) {
	if err := run.Checkpoint(ctx); err != nil {
		return false, err
	}
	life := cmp.Or(q.Life, EvidenceLife)
	expires := q.Expires
	if expires.IsZero() {
		expires = workflow.Now(ctx).Add(life)
	}
	evidence := message.ShownDigest(ctx, q.Evidence)
	given := run.answered(ctx, q.Gate, evidence)
	done := run.put(ctx, api.Waiting{
		Kind: api.WaitingApproval, Gate: q.Gate, Text: q.Text, PlanHash: run.Status.PlanHash, Evidence: evidence,
		Expires: &expires,
	})
	ok, err := workflow.AwaitWithOptions(ctx, workflow.AwaitOptions{
		Timeout: life, TimerOptions: workflow.TimerOptions{Summary: "approval of " + q.Gate},
	}, func() bool { return given() || run.Back != nil || q.Until != nil && q.Until() })
	measuring := err == nil && !given() && run.Back == nil && change.Made(ctx, change.Question)
	// else the question stands until it is put anew, or until nobody needs the answer
	if !measuring {
		done()
		delete(run.approvals.firstPut, q.Gate)
	}
	switch {
	case err != nil:
		return false, err
	case run.Back != nil:
		return false, ErrBack
	case !ok:
		return false, nil
	}
	return given(), nil
}

// answered returns what tells whether a question has been approved. While its evidence is measured
// again it stands, so that an approval of then counts, if it is for what is asked now.
func (run *Run) answered(ctx workflow.Context, gate, evidence string) func() bool {
	before := len(run.Status.Approvals)
	if !change.Made(ctx, change.Kept) {
		return func() bool { return len(run.Status.Approvals) > before }
	}
	if first, stands := run.approvals.firstPut[gate]; stands {
		before = first
	}
	for _, a := range run.Status.Approvals[before:] {
		if a.Gate == gate && a.Evidence != evidence {
			run.Note(ctx, "%s was approved by %s for what was measured before, so that it is asked again",
				gate, a.By)
			before = len(run.Status.Approvals)
		}
	}
	run.approvals.firstPut[gate] = before
	return func() bool {
		return slices.ContainsFunc(run.Status.Approvals[before:], func(a api.Approval) bool {
			return a.Gate == gate && a.Evidence == evidence
		})
	}
}

// put shows a question, in the place and with the age of the one of its gate that stands.
func (run *Run) put(ctx workflow.Context, w api.Waiting) func() {
	for i, old := range run.Status.Waiting {
		if old.Kind == api.WaitingApproval && old.Gate == w.Gate {
			w.WorkflowID, w.Since = old.WorkflowID, old.Since
			run.Status.Waiting = slices.Clone(run.Status.Waiting)
			run.Status.Waiting[i] = w
			run.Publish(ctx)
			return func() { run.Unask(ctx, w.Gate) }
		}
	}
	return run.Wait(ctx, w)
}

// Unask takes a question off the page that stands and isn't asked any more.
func (run *Run) Unask(ctx workflow.Context, gate string) {
	delete(run.approvals.firstPut, gate)
	standing := func(w api.Waiting) bool { return w.Kind == api.WaitingApproval && w.Gate == gate }
	if slices.ContainsFunc(run.Status.Waiting, standing) {
		run.Status.Waiting = slices.DeleteFunc(slices.Clone(run.Status.Waiting), standing)
		run.Publish(ctx)
	}
}

// longestLife is how long evidence may be answered while nobody does.
func (run *Run) longestLife() time.Duration {
	if !run.Bounded {
		return EvidenceLife
	}
	return EvidenceLongest
}

// Asks reports whether the plan wants a person's approval of this gate.
func (run *Run) Asks(gate plan.Gate) bool {
	for _, g := range run.Plan.Approvals {
		if g == gate {
			return true
		}
	}
	return false
}
